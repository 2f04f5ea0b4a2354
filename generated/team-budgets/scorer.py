"""A clamped feature vector to a verdict. Generated from routing.yaml: change that, and build.

decide(v) returns (outcome, tier, rule, chain, mask, score, prefer).
outcome: 0 route, 1 deny, 2 respond, 3 refuse. rule: -1 the score, -2 a pin. mask: targets as bits.
"""


def percent(x):
    return 0 if x < 0 else 100 if x > 100 else x


def ramp(x, low, high):
    return 0 if x <= low else 100 if x >= high else 100 * (x - low) // (high - low)


def decide(v):
    (
        ask_chars,
        ask_mean_sentence,
        ask_tokens,
        ask_words,
        budget_used_pct,
        client,
        context_tokens,
        count_ask_builtin_technical,
        documents_count,
        images_count,
        loop_repeats,
        loop_steps_since_user,
        loop_tool_errors,
        loop_tool_results,
        matches_ask_builtin_analysis,
        matches_ask_builtin_architectures,
        matches_ask_builtin_autonomous_words,
        matches_ask_builtin_big_design,
        matches_ask_builtin_big_review,
        matches_ask_builtin_big_rewrite,
        matches_ask_builtin_big_trouble,
        matches_ask_builtin_building,
        matches_ask_builtin_chain_words,
        matches_ask_builtin_clock_question,
        matches_ask_builtin_code_writing,
        matches_ask_builtin_deep_audit,
        matches_ask_builtin_deep_proof,
        matches_ask_builtin_deep_thought,
        matches_ask_builtin_designing,
        matches_ask_builtin_domain_database,
        matches_ask_builtin_domain_devops,
        matches_ask_builtin_domain_distributed,
        matches_ask_builtin_domain_frontend,
        matches_ask_builtin_domain_ml,
        matches_ask_builtin_domain_security,
        matches_ask_builtin_folding_request,
        matches_ask_builtin_greeting,
        matches_ask_builtin_iterative_words,
        matches_ask_builtin_many_files,
        matches_ask_builtin_menu_word,
        matches_ask_builtin_planning,
        matches_ask_builtin_planning_words,
        matches_ask_builtin_sequence,
        matches_ask_builtin_short_answer,
        matches_ask_builtin_specifics,
        matches_ask_builtin_step_by_step,
        matches_ask_builtin_testing,
        matches_ask_builtin_title_request,
        matches_ask_builtin_trade_offs,
        model,
        request_max_tokens,
        tools_added,
        tools_count,
        tools_mean_weight,
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

    # 3. Score, summed in 1/6400 points; 3200 rounds to the nearest.
    points = 3200  # offset 0
    # builtin/token_count: weight 8, steps(ask.tokens, [[0, 10], [500, 30], [2000, 50], [5000, 70],
    # [10000, 90]])
    points += (
        512
        * (
            10 if ask_tokens < 500
            else 30 if ask_tokens < 2000
            else 50 if ask_tokens < 5000
            else 70 if ask_tokens < 10000
            else 90
        )
    )
    # builtin/prompt_complexity: weight 10, ramp(ask.mean_sentence, 0, 200)
    points += 640 * ramp(ask_mean_sentence, 0, 200)
    # builtin/technical_depth: weight 10, min(100, 15 * count(ask, technical))
    points += 640 * min(100, 15 * count_ask_builtin_technical)
    # builtin/domain_specificity: weight 7, when(matches(ask, domain_security), 20, 0) +
    # when(matches(ask, domain_ml), 20, 0) + when(matches(ask, domain_distributed), 20, 0) +
    # when(matches(ask, domain_database), 20, 0) + when(matches(ask, domain_frontend), 20, 0) +
    # when(matches(ask, domain_devops), 20, 0)
    points += (
        448
        * percent(
            (20 if matches_ask_builtin_domain_security else 0)
            + (20 if matches_ask_builtin_domain_ml else 0)
            + (20 if matches_ask_builtin_domain_distributed else 0)
            + (20 if matches_ask_builtin_domain_database else 0)
            + (20 if matches_ask_builtin_domain_frontend else 0)
            + (20 if matches_ask_builtin_domain_devops else 0),
        )
    )
    # builtin/tool_count: weight 8, steps(tools.added, [[1, 20], [4, 40], [7, 60], [11, 80], [16,
    # 100]])
    points += (
        512
        * (
            0 if tools_added < 1
            else 20 if tools_added < 4
            else 40 if tools_added < 7
            else 60 if tools_added < 11
            else 80 if tools_added < 16
            else 100
        )
    )
    points += 640 * tools_mean_weight  # builtin/tool_complexity: weight 10, tools.mean_weight
    # builtin/tool_chain_potential: weight 7, when(matches(ask, sequence), 70, 20)
    points += 448 * (70 if matches_ask_builtin_sequence else 20)
    # builtin/multi_step_reasoning: weight 10, when(matches(ask, step_by_step), 80,
    # when(matches(ask, planning), 60, 20))
    points += (
        640
        * (80 if matches_ask_builtin_step_by_step else 60 if matches_ask_builtin_planning else 20)
    )
    # builtin/code_generation: weight 8, when(matches(ask, code_writing), 80, 20)
    points += 512 * (80 if matches_ask_builtin_code_writing else 20)
    # builtin/analysis_depth: weight 7, when(matches(ask, trade_offs), 80, when(matches(ask,
    # analysis), 60, 20))
    points += (
        448 * (80 if matches_ask_builtin_trade_offs else 60 if matches_ask_builtin_analysis else 20)
    )
    # builtin/conversation_depth: weight 5, steps(turns, [[0, 10], [2, 30], [4, 50], [6, 70]])
    points += 320 * (10 if turns < 2 else 30 if turns < 4 else 50 if turns < 6 else 70)
    # builtin/prior_tool_usage: weight 5, steps(loop.tool_results, [[0, 10], [1, 40], [3, 60], [6,
    # 80]])
    points += (
        320
        * (
            10 if loop_tool_results < 1
            else 40 if loop_tool_results < 3
            else 60 if loop_tool_results < 6
            else 80
        )
    )
    # builtin/ambiguity: weight 5, when(matches(ask, specifics), 20, when(ask.chars < 50, 70, 40))
    points += 320 * (20 if matches_ask_builtin_specifics else 70 if ask_chars < 50 else 40)
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
    keep = 0b111  # every target
    if images_count > 0:
        keep &= 0b101  # vision: best, strong
    if documents_count > 0:
        keep &= 0b101  # documents: best, strong
    if wants_json_schema:
        keep &= 0b101  # json_schema: best, strong
    if shared_6 > 128000:
        keep &= 0b101  # context 128000: best, strong
    if shared_6 > 1000000:
        keep &= 0b000  # context 1000000: no target
    if budget_used_pct >= 80:
        keep &= 0b110  # save: budget.used_pct >= 80 requires target != best

    # 4. Tier: a pin, else the first rule with one, else the score.
    if model in (7, 14):
        tier = 0  # pin lynkr/SIMPLE, claude-lynkr-SIMPLE
        rule = -2
    elif model in (5, 12):
        tier = 1  # pin lynkr/MEDIUM, claude-lynkr-MEDIUM
        rule = -2
    elif model in (4, 11):
        tier = 2  # pin lynkr/COMPLEX, claude-lynkr-COMPLEX
        rule = -2
    elif model in (6, 13):
        tier = 3  # pin lynkr/REASONING, claude-lynkr-REASONING
        rule = -2
    elif model in (3, 10):
        left = keep & 0b001  # pin lynkr/best, claude-lynkr-best
        if left:
            return (0, -1, -2, 4, left, score, -1)
        return (3, -1, -2, -1, 0, score, -1)
    elif model in (8, 15):
        left = keep & 0b010  # pin lynkr/small, claude-lynkr-small
        if left:
            return (0, -1, -2, 5, left, score, -1)
        return (3, -1, -2, -1, 0, score, -1)
    elif model in (9, 16):
        left = keep & 0b100  # pin lynkr/strong, claude-lynkr-strong
        if left:
            return (0, -1, -2, 6, left, score, -1)
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
        rule = 1
    elif ask_words <= 4 and matches_ask_builtin_greeting:
        tier = 0  # builtin/greetings: ask.words <= 4 and matches(ask, greeting) -> SIMPLE
        rule = 2
    elif ask_words <= 6 and matches_ask_builtin_clock_question:
        # builtin/clock-questions: ask.words <= 6 and matches(ask, clock_question) -> SIMPLE
        tier = 0
        rule = 3
    elif turns <= 1 and ask_words <= 3 and matches_ask_builtin_short_answer:
        # builtin/short-answers: turns <= 1 and ask.words <= 3 and matches(ask, short_answer) ->
        # SIMPLE
        tier = 0
        rule = 4
    elif ask_words == 1 and matches_ask_builtin_menu_word:
        tier = 0  # builtin/menus: ask.words == 1 and matches(ask, menu_word) -> SIMPLE
        rule = 5
    elif matches_ask_builtin_deep_audit:
        tier = 3  # builtin/audits: matches(ask, deep_audit) -> REASONING
        rule = 6
    elif matches_ask_builtin_deep_thought:
        tier = 3  # builtin/deep-thought: matches(ask, deep_thought) -> REASONING
        rule = 7
    elif matches_ask_builtin_deep_proof:
        tier = 3  # builtin/proofs: matches(ask, deep_proof) -> REASONING
        rule = 8
    elif (
        matches_ask_builtin_big_design
        or matches_ask_builtin_designing and matches_ask_builtin_architectures
    ):
        # builtin/designs: matches(ask, big_design) or matches(ask, designing) and matches(ask,
        # architectures) -> COMPLEX
        tier = 2
        rule = 9
    elif matches_ask_builtin_big_rewrite:
        tier = 2  # builtin/rewrites: matches(ask, big_rewrite) -> COMPLEX
        rule = 10
    elif matches_ask_builtin_big_review:
        tier = 2  # builtin/reviews: matches(ask, big_review) -> COMPLEX
        rule = 11
    elif matches_ask_builtin_big_trouble:
        tier = 2  # builtin/trouble: matches(ask, big_trouble) -> COMPLEX
        rule = 12
    elif score <= 25:
        tier = 0  # score -> SIMPLE
        rule = -1
    elif score <= 50:
        tier = 1  # score -> MEDIUM
        rule = -1
    elif score <= 75:
        tier = 2  # score -> COMPLEX
        rule = -1
    else:
        tier = 3  # score -> REASONING
        rule = -1

    # 5. The highest floor raises it, then the lowest ceiling lowers it.
    changed = -1
    if shared_4 >= 60 or matches_ask_builtin_autonomous_words and shared_4 >= 40:
        floor = 3  # builtin/autonomous: is_autonomous -> at least REASONING
        floor_rule = 13
    elif (
        (shared_4 >= 40 or loop_tool_results > 5 and shared_4 >= 30) and shared_4 < 60 and shared_5
    ):
        floor = 2  # builtin/iterative: is_iterative and not is_autonomous -> at least COMPLEX
        floor_rule = 14
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
        floor_rule = 15
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
        chain = 0  # SIMPLE: small, strong
        left = keep & 0b110
    elif tier == 1:
        chain = 1  # MEDIUM: strong, small
        left = keep & 0b110
    elif tier == 2:
        chain = 2  # COMPLEX: strong, small
        left = keep & 0b110
    else:
        chain = 3  # REASONING: best, strong, small
        left = keep & 0b111
    if left:
        return (0, tier, rule, chain, left, score, -1)

    # 8. Otherwise: escalate.
    if tier < 1 and keep & 0b110:  # MEDIUM
        return (0, tier, rule, 1, keep & 0b110, score, -1)
    if tier < 2 and keep & 0b110:  # COMPLEX
        return (0, tier, rule, 2, keep & 0b110, score, -1)
    if tier < 3 and keep & 0b111:  # REASONING
        return (0, tier, rule, 3, keep & 0b111, score, -1)
    if tier > 2 and keep & 0b110:  # COMPLEX
        return (0, tier, rule, 2, keep & 0b110, score, -1)
    if tier > 1 and keep & 0b110:  # MEDIUM
        return (0, tier, rule, 1, keep & 0b110, score, -1)
    if tier > 0 and keep & 0b110:  # SIMPLE
        return (0, tier, rule, 0, keep & 0b110, score, -1)
    return (3, tier, rule, -1, 0, score, -1)
