"""What was fitted to a log's outcomes to JSON: `schema/tune-log.schema.json`."""

import json
from dataclasses import asdict
from typing import Any

from lynkrc.quality.report_json import rounded
from lynkrc.quality.results import LENGTH, OLD
from lynkrc.quality.tune_log_report import TuneLogReport, sentences, warnings
from lynkrc.quality.tune_report import verdict_of

VERSION = 1
"""Of the form."""


def render_json(report: TuneLogReport) -> str:
    """Everything that is told, the diff too."""
    tuned, proposal = report.tuned, report.proposal
    gains = ((OLD, tuned.order.over_current), (LENGTH, tuned.order.over_length))
    document: dict[str, Any] = {
        "version": VERSION,
        "spec": report.spec,
        "labels": tuned.labels,
        "bad": tuned.bad,
        "sessions": tuned.sessions,
        "sources": [asdict(one) for one in tuned.sources],
        "verdicts": [
            {
                "against": against,
                "verdict": None if gain is None else verdict_of(gain).value,
                "auroc": None if gain is None else asdict(gain),
                "text": text,
            }
            for (against, gain), text in zip(gains, sentences(tuned), strict=True)
        ],
        "warnings": list(warnings(report)),
        "held_out": {
            "folds": tuned.folds,
            "strong_from": tuned.strong_from,
            "weak_tiers": list(tuned.weak_tiers),
            "tuned": asdict(tuned.order.tuned),
            "current": asdict(tuned.order.current),
            "length_slot": tuned.order.length_slot,
            "length": None if tuned.order.length is None else asdict(tuned.order.length),
        },
        "records": tuned.records,
        "decided": tuned.decided,
        "unlabelled": [asdict(one) for one in tuned.unlabelled],
        "left_out": [asdict(one) for one in tuned.left_out],
        "strays": tuned.strays,
        "bad_lines": [asdict(one) for one in tuned.bad_lines],
        "bad_line_count": tuned.lines,
        "counts": list(tuned.counts),
        "lost": list(tuned.lost),
        "tiers": [asdict(one) for one in report.tiers],
        "lowered": report.lowered,
        "up_to": [
            {"tier": tier, "before": before, "after": after}
            for tier, before, after in proposal.up_to
        ],
        "offset": {"before": proposal.offset[0], "after": proposal.offset[1]},
        "weights": [
            {"name": one.name, "value": one.value, "before": one.old, "after": one.new}
            for one in proposal.weights
        ],
        "removed": list(proposal.removed),
        "findings": list(report.findings),
        "seed": tuned.seed,
        "resamples": tuned.resamples,
        "patch": report.patch,
    }
    return json.dumps(rounded(document), indent=2, ensure_ascii=False) + "\n"
