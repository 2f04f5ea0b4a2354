"""A clamped feature vector to a verdict. Generated from routing.yaml: change that, and build.

decide(v) returns (outcome, tier, rule, chain, mask, score, prefer).
outcome: 0 route, 1 deny, 2 respond, 3 refuse. rule: -1 the score, -2 a pin. mask: targets as bits.
"""


def percent(x):
    return 0 if x < 0 else 100 if x > 100 else x


def decide(v):
    (
        ask_bytes,
        ask_chars,
        ask_lines,
        ask_mean_sentence,
        ask_quotes,
        ask_tokens,
        ask_words,
        client,
        context_tokens,
        count_ask_builtin_logic,
        distinct_ask_builtin_hard_work,
        distinct_ask_builtin_proving,
        distinct_history_builtin_hard_work,
        distinct_history_builtin_proving,
        documents_count,
        header_x_data_class,  # header("x-data-class")
        images_count,
        loop_repeats,
        loop_steps_since_user,
        loop_tool_errors,
        loop_tool_results,
        matches_ask_builtin_architectures,
        matches_ask_builtin_autonomous_words,
        matches_ask_builtin_big_design,
        matches_ask_builtin_big_review,
        matches_ask_builtin_big_rewrite,
        matches_ask_builtin_big_trouble,
        matches_ask_builtin_building,
        matches_ask_builtin_chain_words,
        matches_ask_builtin_changing,
        matches_ask_builtin_clock_question,
        matches_ask_builtin_code_words,
        matches_ask_builtin_deep_audit,
        matches_ask_builtin_deep_proof,
        matches_ask_builtin_deep_thought,
        matches_ask_builtin_design_work,
        matches_ask_builtin_designing,
        matches_ask_builtin_easy_work,
        matches_ask_builtin_explaining,
        matches_ask_builtin_folding_request,
        matches_ask_builtin_going_on,
        matches_ask_builtin_greeting,
        matches_ask_builtin_hard_work,
        matches_ask_builtin_iterative_words,
        matches_ask_builtin_looking_up,
        matches_ask_builtin_many_files,
        matches_ask_builtin_menu_word,
        matches_ask_builtin_planning_words,
        matches_ask_builtin_recap,
        matches_ask_builtin_short_answer,
        matches_ask_builtin_taking_leave,
        matches_ask_builtin_testing,
        matches_ask_builtin_title_request,
        matches_ask_confidential_words,
        matches_history_builtin_changing,
        matches_history_builtin_proving,
        model,
        request_max_tokens,
        tools_added,
        tools_count,
        tools_named_Bash,  # tools.named("Bash")
        tools_named_Edit,  # tools.named("Edit")
        tools_named_NotebookEdit,  # tools.named("NotebookEdit")
        tools_named_Task,  # tools.named("Task")
        tools_named_Write,  # tools.named("Write")
        tools_named_apply_patch,  # tools.named("apply_patch")
        tools_named_bash,  # tools.named("bash")
        tools_named_edit_file,  # tools.named("edit_file")
        tools_named_git,  # tools.named("git")
        tools_named_run_tests,  # tools.named("run_tests")
        tools_named_shell,  # tools.named("shell")
        tools_named_write_file,  # tools.named("write_file")
        turns,
        wants_json_schema,
    ) = v

    # Values used more than once.
    shared_1 = min(
        tools_added,
        (1 if tools_named_Bash else 0)
        + (1 if tools_named_bash else 0)
        + (1 if tools_named_shell else 0)
        + (1 if tools_named_Write else 0)
        + (1 if tools_named_write_file else 0)
        + (1 if tools_named_Edit else 0)
        + (1 if tools_named_edit_file else 0)
        + (1 if tools_named_apply_patch else 0)
        + (1 if tools_named_Task else 0)
        + (1 if tools_named_NotebookEdit else 0)
        + (1 if tools_named_git else 0)
        + (1 if tools_named_run_tests else 0),
    )
    shared_2 = loop_tool_errors + loop_repeats
    shared_3 = turns + loop_steps_since_user
    shared_4 = (
        (0 if tools_added < 4 else 8 if tools_added < 6 else 15 if tools_added < 11 else 25)
        + (0 if shared_1 < 1 else 8 if shared_1 < 2 else 15 if shared_1 < 4 else 25)
        + (
            0 if loop_tool_results < 3
            else 5 if loop_tool_results < 6
            else 10 if loop_tool_results < 12
            else 20
        )
        + (0 if shared_2 < 1 else 10 if shared_2 < 3 else 20 if shared_2 < 6 else 30)
        + (0 if shared_3 < 4 else 5 if shared_3 < 8 else 10)
        + (
            (25 if matches_ask_builtin_autonomous_words else 0)
            + (20 if matches_ask_builtin_iterative_words else 0)
            + (15 if matches_ask_builtin_chain_words else 0)
            + (15 if matches_ask_builtin_many_files else 0)
            + (10 if matches_ask_builtin_planning_words else 0)
            + (10 if matches_ask_builtin_building and matches_ask_builtin_testing else 0)
            if ask_chars < 1200 and not matches_ask_builtin_folding_request
            else 0
        )
    )
    shared_5 = not matches_ask_builtin_autonomous_words or shared_4 < 40
    shared_6 = context_tokens + min(request_max_tokens, 4000)
    shared_7 = (
        not matches_ask_builtin_easy_work or ask_bytes < 800 and matches_ask_builtin_hard_work
    )
    shared_8 = (
        ask_words > 14 and ask_lines < 40
        or not matches_ask_builtin_looking_up
        or matches_ask_builtin_changing
        or matches_ask_builtin_going_on
    )
    shared_9 = distinct_history_builtin_hard_work + distinct_history_builtin_proving

    # 3. Score, summed in 1/6400 points; 3200 rounds to the nearest.
    points = 3200  # offset 0
    # builtin/length: weight 64, steps(ask.bytes, [[26, 5], [34, 10], [44, 15], [58, 20], [75, 25],
    # [100, 30], [130, 35], [170, 40], [220, 45], [280, 50], [370, 55], [480, 60], [630, 65], [820,
    # 70], [1060, 75], [1400, 80], [1800, 85], [2400, 90], [3100, 95], [4000, 100]])
    points += (
        4096
        * (
            0 if ask_bytes < 26
            else 5 if ask_bytes < 34
            else 10 if ask_bytes < 44
            else 15 if ask_bytes < 58
            else 20 if ask_bytes < 75
            else 25 if ask_bytes < 100
            else 30 if ask_bytes < 130
            else 35 if ask_bytes < 170
            else 40 if ask_bytes < 220
            else 45 if ask_bytes < 280
            else 50 if ask_bytes < 370
            else 55 if ask_bytes < 480
            else 60 if ask_bytes < 630
            else 65 if ask_bytes < 820
            else 70 if ask_bytes < 1060
            else 75 if ask_bytes < 1400
            else 80 if ask_bytes < 1800
            else 85 if ask_bytes < 2400
            else 90 if ask_bytes < 3100
            else 95 if ask_bytes < 4000
            else 100
        )
    )
    # builtin/mean_sentence: weight 16, steps(ask.mean_sentence, [[18, 5], [22, 10], [26, 15], [31,
    # 20], [38, 25], [45, 30], [55, 35], [66, 40], [80, 45], [95, 50], [115, 55], [140, 60], [165,
    # 65], [200, 70], [240, 75], [290, 80], [345, 85], [415, 90], [500, 95], [600, 100]])
    points += (
        1024
        * (
            0 if ask_mean_sentence < 18
            else 5 if ask_mean_sentence < 22
            else 10 if ask_mean_sentence < 26
            else 15 if ask_mean_sentence < 31
            else 20 if ask_mean_sentence < 38
            else 25 if ask_mean_sentence < 45
            else 30 if ask_mean_sentence < 55
            else 35 if ask_mean_sentence < 66
            else 40 if ask_mean_sentence < 80
            else 45 if ask_mean_sentence < 95
            else 50 if ask_mean_sentence < 115
            else 55 if ask_mean_sentence < 140
            else 60 if ask_mean_sentence < 165
            else 65 if ask_mean_sentence < 200
            else 70 if ask_mean_sentence < 240
            else 75 if ask_mean_sentence < 290
            else 80 if ask_mean_sentence < 345
            else 85 if ask_mean_sentence < 415
            else 90 if ask_mean_sentence < 500
            else 95 if ask_mean_sentence < 600
            else 100
        )
    )
    # builtin/logic: weight 28, steps(count(ask, logic), [[1, 20], [2, 35], [3, 43], [4, 50], [5,
    # 55], [6, 60], [7, 64], [8, 68], [10, 74], [12, 80], [14, 84], [16, 88], [19, 93], [22, 97],
    # [24, 100]])
    points += (
        1792
        * (
            0 if count_ask_builtin_logic < 1
            else 20 if count_ask_builtin_logic < 2
            else 35 if count_ask_builtin_logic < 3
            else 43 if count_ask_builtin_logic < 4
            else 50 if count_ask_builtin_logic < 5
            else 55 if count_ask_builtin_logic < 6
            else 60 if count_ask_builtin_logic < 7
            else 64 if count_ask_builtin_logic < 8
            else 68 if count_ask_builtin_logic < 10
            else 74 if count_ask_builtin_logic < 12
            else 80 if count_ask_builtin_logic < 14
            else 84 if count_ask_builtin_logic < 16
            else 88 if count_ask_builtin_logic < 19
            else 93 if count_ask_builtin_logic < 22
            else 97 if count_ask_builtin_logic < 24
            else 100
        )
    )
    # builtin/quotes: weight 6, steps(ask.quotes, [[1, 22], [2, 36], [3, 45], [4, 52], [5, 58], [6,
    # 63], [7, 68], [8, 72], [10, 78], [12, 84], [14, 88], [16, 93], [20, 100]])
    points += (
        384
        * (
            0 if ask_quotes < 1
            else 22 if ask_quotes < 2
            else 36 if ask_quotes < 3
            else 45 if ask_quotes < 4
            else 52 if ask_quotes < 5
            else 58 if ask_quotes < 6
            else 63 if ask_quotes < 7
            else 68 if ask_quotes < 8
            else 72 if ask_quotes < 10
            else 78 if ask_quotes < 12
            else 84 if ask_quotes < 14
            else 88 if ask_quotes < 16
            else 93 if ask_quotes < 20
            else 100
        )
    )
    # builtin/material: weight -60, steps(ask.lines, [[40, 60], [80, 100]])
    points += -3840 * (0 if ask_lines < 40 else 60 if ask_lines < 80 else 100)
    # builtin/shown: weight 8, when(images.count + documents.count > 0, 100, 0)
    points += 512 * (100 if images_count + documents_count > 0 else 0)
    # builtin/proving: weight 76, steps(distinct(ask, proving), [[1, 85], [2, 100]])
    points += (
        4864
        * (
            0 if distinct_ask_builtin_proving < 1
            else 85 if distinct_ask_builtin_proving < 2
            else 100
        )
    )
    # builtin/work: weight 38, when(is_hard, steps(distinct(ask, hard_work), [[1, 30], [2, 55], [3,
    # 70]]) + when(is_short, 40, 0), when(is_short and matches(ask, changing), 36, 0) +
    # when(is_short and matches(ask, code_words), 15, 0) + when(is_short and matches(ask,
    # explaining), 15, 0)) + when(matches(ask, design_work), 35, 0)
    points += (
        2432
        * percent(
            (
                (
                    0 if distinct_ask_builtin_hard_work < 1
                    else 30 if distinct_ask_builtin_hard_work < 2
                    else 55 if distinct_ask_builtin_hard_work < 3
                    else 70
                )
                + (40 if ask_bytes < 300 else 0)
                if ask_bytes < 800 and matches_ask_builtin_hard_work
                else (36 if ask_bytes < 300 and matches_ask_builtin_changing else 0)
                + (15 if ask_bytes < 300 and matches_ask_builtin_code_words else 0)
                + (15 if ask_bytes < 300 and matches_ask_builtin_explaining else 0)
            )
            + (35 if matches_ask_builtin_design_work else 0),
        )
    )
    # builtin/easy: weight -26, when(is_easy, 100, 0)
    points += (
        -1664
        * (
            100
            if matches_ask_builtin_easy_work
            and (ask_bytes >= 800 or not matches_ask_builtin_hard_work)
            else 0
        )
    )
    # builtin/look_up: weight -18, when(looks_up, 100, 0)
    points += (
        -1152
        * (
            100
            if (ask_words <= 14 or ask_lines >= 40)
            and matches_ask_builtin_looking_up
            and not matches_ask_builtin_changing
            and not matches_ask_builtin_going_on
            else 0
        )
    )
    # builtin/leave: weight -40, when(takes_leave, 100, 0)
    points += -2560 * (100 if ask_words <= 8 and matches_ask_builtin_taking_leave else 0)
    # builtin/go_on: weight 26, when(ask.words <= 8 and matches(ask, going_on), 100, 0)
    points += 1664 * (100 if ask_words <= 8 and matches_ask_builtin_going_on else 0)
    # builtin/under_way: weight 60, when(carries_on, max(steps(hard_before, [[1, 70], [2, 95], [4,
    # 100]]), when(matches(history, changing), 40, 0)), when(recaps, steps(hard_before, [[2, 40]]),
    # 0))
    points += (
        3840
        * (
            max(
                0 if shared_9 < 1 else 70 if shared_9 < 2 else 95 if shared_9 < 4 else 100,
                40 if matches_history_builtin_changing else 0,
            )
            if turns > 1
            and ask_words <= 16
            and (ask_words > 8 or not matches_ask_builtin_taking_leave)
            and shared_7
            and shared_8
            and (turns <= 1 or not matches_ask_builtin_recap)
            else (0 if shared_9 < 2 else 40) if turns > 1 and matches_ask_builtin_recap else 0
        )
    )
    # builtin/proof_before: weight 20, when(carries_on and matches(history, proving), 100, 0)
    points += (
        1280
        * (
            100
            if turns > 1
            and ask_words <= 16
            and (ask_words > 8 or not matches_ask_builtin_taking_leave)
            and shared_7
            and shared_8
            and (turns <= 1 or not matches_ask_builtin_recap)
            and matches_history_builtin_proving
            else 0
        )
    )
    # builtin/errors: weight 24, steps(loop.tool_errors, [[1, 40], [3, 80], [5, 100]])
    points += (
        1536
        * (
            0 if loop_tool_errors < 1
            else 40 if loop_tool_errors < 3
            else 80 if loop_tool_errors < 5
            else 100
        )
    )
    # builtin/repeats: weight 24, steps(loop.repeats, [[1, 70], [3, 100]])
    points += 1536 * (0 if loop_repeats < 1 else 70 if loop_repeats < 3 else 100)
    # builtin/results: weight 6, steps(loop.tool_results, [[2, 50], [4, 100]])
    points += 384 * (0 if loop_tool_results < 2 else 50 if loop_tool_results < 4 else 100)
    # builtin/added_tools: weight 6, steps(tools.added, [[1, 30], [4, 60], [8, 100]])
    points += (
        384 * (0 if tools_added < 1 else 30 if tools_added < 4 else 60 if tools_added < 8 else 100)
    )
    if shared_4 >= 60 or matches_ask_builtin_autonomous_words and shared_4 >= 40:
        points += 224000  # builtin/autonomous: is_autonomous adds 35
    if (shared_4 >= 40 or loop_tool_results > 5 and shared_4 >= 30) and shared_4 < 60 and shared_5:
        points += 160000  # builtin/iterative: is_iterative and not is_autonomous adds 25
    if (
        (shared_4 >= 20 or shared_1 > 3)
        and shared_4 < 40
        and (loop_tool_results <= 5 or shared_4 < 30)
        and shared_4 < 60
        and shared_5
    ):
        # builtin/tool-chain: is_tool_chain and not is_iterative and not is_autonomous adds 15
        points += 96000
    score = 0 if points < 0 else min(points // 6400, 100)

    # The targets that can serve, as bits (steps 7 and 8).
    keep = 0b1111  # every target
    if images_count > 0:
        keep &= 0b1011  # vision: best, mid, strong
    if documents_count > 0:
        keep &= 0b1011  # documents: best, mid, strong
    if wants_json_schema:
        keep &= 0b1011  # json_schema: best, mid, strong
    if shared_6 > 128000:
        keep &= 0b1001  # context 128000: best, strong
    if shared_6 > 1000000:
        keep &= 0b0000  # context 1000000: no target
    if header_x_data_class == 2 or matches_ask_confidential_words:
        keep &= 0b0100  # stay-home: confidential requires target.trust == local

    # 4. Tier: a pin, else the first rule with one, else the score.
    if model in (3, 11, 12):
        left = keep & 0b0001  # pin house-best, lynkr/best, claude-lynkr-best
        if left:
            return (0, -1, -2, 4, left, score, -1)
        return (3, -1, -2, -1, 0, score, -1)
    elif model in (8, 17):
        tier = 0  # pin lynkr/SIMPLE, claude-lynkr-SIMPLE
        rule = -2
    elif model in (5, 14):
        tier = 1  # pin lynkr/MEDIUM, claude-lynkr-MEDIUM
        rule = -2
    elif model in (4, 13):
        tier = 2  # pin lynkr/COMPLEX, claude-lynkr-COMPLEX
        rule = -2
    elif model in (7, 16):
        tier = 3  # pin lynkr/REASONING, claude-lynkr-REASONING
        rule = -2
    elif model in (6, 15):
        left = keep & 0b0010  # pin lynkr/mid, claude-lynkr-mid
        if left:
            return (0, -1, -2, 5, left, score, -1)
        return (3, -1, -2, -1, 0, score, -1)
    elif model in (9, 18):
        left = keep & 0b0100  # pin lynkr/small, claude-lynkr-small
        if left:
            return (0, -1, -2, 6, left, score, -1)
        return (3, -1, -2, -1, 0, score, -1)
    elif model in (10, 19):
        left = keep & 0b1000  # pin lynkr/strong, claude-lynkr-strong
        if left:
            return (0, -1, -2, 7, left, score, -1)
        return (3, -1, -2, -1, 0, score, -1)
    elif (
        tools_count == 0
        and (
            matches_ask_builtin_title_request
            or 0 < request_max_tokens and request_max_tokens <= 16
            or client == 2 and 0 < request_max_tokens and request_max_tokens <= 512
        )
    ):
        tier = 0  # builtin/side-requests: is_side -> SIMPLE
        rule = 2
    elif ask_words <= 4 and matches_ask_builtin_greeting:
        tier = 0  # builtin/greetings: ask.words <= 4 and matches(ask, greeting) -> SIMPLE
        rule = 3
    elif ask_words <= 6 and matches_ask_builtin_clock_question:
        # builtin/clock-questions: ask.words <= 6 and matches(ask, clock_question) -> SIMPLE
        tier = 0
        rule = 4
    elif turns <= 1 and ask_words <= 3 and matches_ask_builtin_short_answer:
        # builtin/short-answers: turns <= 1 and ask.words <= 3 and matches(ask, short_answer) ->
        # SIMPLE
        tier = 0
        rule = 5
    elif ask_words == 1 and matches_ask_builtin_menu_word:
        tier = 0  # builtin/menus: ask.words == 1 and matches(ask, menu_word) -> SIMPLE
        rule = 6
    elif matches_ask_builtin_deep_audit:
        tier = 3  # builtin/audits: matches(ask, deep_audit) -> REASONING
        rule = 7
    elif matches_ask_builtin_deep_thought:
        tier = 3  # builtin/deep-thought: matches(ask, deep_thought) -> REASONING
        rule = 8
    elif matches_ask_builtin_deep_proof:
        tier = 3  # builtin/proofs: matches(ask, deep_proof) -> REASONING
        rule = 9
    elif (
        matches_ask_builtin_big_design
        or matches_ask_builtin_designing and matches_ask_builtin_architectures
    ):
        # builtin/designs: matches(ask, big_design) or matches(ask, designing) and matches(ask,
        # architectures) -> COMPLEX
        tier = 2
        rule = 10
    elif matches_ask_builtin_big_rewrite:
        tier = 2  # builtin/rewrites: matches(ask, big_rewrite) -> COMPLEX
        rule = 11
    elif matches_ask_builtin_big_review:
        tier = 2  # builtin/reviews: matches(ask, big_review) -> COMPLEX
        rule = 12
    elif matches_ask_builtin_big_trouble:
        tier = 2  # builtin/trouble: matches(ask, big_trouble) -> COMPLEX
        rule = 13
    elif score <= 22:
        tier = 0  # score -> SIMPLE
        rule = -1
    elif score <= 56:
        tier = 1  # score -> MEDIUM
        rule = -1
    elif score <= 80:
        tier = 2  # score -> COMPLEX
        rule = -1
    else:
        tier = 3  # score -> REASONING
        rule = -1

    # 5. The highest floor raises it, then the lowest ceiling lowers it.
    changed = -1
    if shared_4 >= 60 or matches_ask_builtin_autonomous_words and shared_4 >= 40:
        floor = 3  # builtin/autonomous: is_autonomous -> at least REASONING
        floor_rule = 14
    elif ask_tokens > 4000:
        floor = 2  # long-asks: ask.tokens > 4000 -> at least COMPLEX
        floor_rule = 1
    elif (
        (shared_4 >= 40 or loop_tool_results > 5 and shared_4 >= 30) and shared_4 < 60 and shared_5
    ):
        floor = 2  # builtin/iterative: is_iterative and not is_autonomous -> at least COMPLEX
        floor_rule = 15
    elif (
        (shared_4 >= 20 or shared_1 > 3)
        and shared_4 < 40
        and (loop_tool_results <= 5 or shared_4 < 30)
        and shared_4 < 60
        and shared_5
    ):
        # builtin/tool-chain: is_tool_chain and not is_iterative and not is_autonomous -> at least
        # MEDIUM
        floor = 1
        floor_rule = 16
    else:
        floor = 0  # no floor
        floor_rule = -1
    if rule != -2 and tier < floor:
        tier = floor
        changed = floor_rule
    if rule == -1:
        rule = changed

    # 6, 7. The tier's chain, without the targets dropped.
    if tier == 0:
        chain = 0  # SIMPLE: small, mid
        left = keep & 0b0110
    elif tier == 1:
        chain = 1  # MEDIUM: mid, strong
        left = keep & 0b1010
    elif tier == 2:
        chain = 2  # COMPLEX: strong, best
        left = keep & 0b1001
    else:
        chain = 3  # REASONING: best, strong
        left = keep & 0b1001
    if left:
        return (0, tier, rule, chain, left, score, -1)

    # 8. Otherwise: escalate.
    if tier < 1 and keep & 0b1010:  # MEDIUM
        return (0, tier, rule, 1, keep & 0b1010, score, -1)
    if tier < 2 and keep & 0b1001:  # COMPLEX
        return (0, tier, rule, 2, keep & 0b1001, score, -1)
    if tier < 3 and keep & 0b1001:  # REASONING
        return (0, tier, rule, 3, keep & 0b1001, score, -1)
    if tier > 2 and keep & 0b1001:  # COMPLEX
        return (0, tier, rule, 2, keep & 0b1001, score, -1)
    if tier > 1 and keep & 0b1010:  # MEDIUM
        return (0, tier, rule, 1, keep & 0b1010, score, -1)
    if tier > 0 and keep & 0b0110:  # SIMPLE
        return (0, tier, rule, 0, keep & 0b0110, score, -1)
    return (3, tier, rule, -1, 0, score, -1)
