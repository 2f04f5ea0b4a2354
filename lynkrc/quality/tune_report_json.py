"""What was tuned to JSON: `schema/tune.schema.json`."""

import json
from dataclasses import asdict
from typing import Any

from lynkrc.quality.report_json import rounded
from lynkrc.quality.results import LENGTH, OLD, Figure, SuiteResult
from lynkrc.quality.tune_report import TuneReport, gain, sentences, verdict_of, warnings, whole_of

VERSION = 1
"""Of the form."""


def render_json(report: TuneReport) -> str:
    """Everything that is told, the diff too."""
    tuned, proposal = report.tuned, report.proposal
    found = tuned.held_out
    document: dict[str, Any] = {
        "version": VERSION,
        "spec": report.spec,
        "labels": tuned.labels,
        "sources": [{"source": name, "labels": count} for name, count in report.sources],
        "verdicts": [
            {
                "against": against,
                "verdict": verdict_of(gain(tuned, against)).value,
                "apgr": _figure(gain(tuned, against)),
                "text": text,
            }
            for against, text in zip((OLD, LENGTH), sentences(tuned), strict=True)
        ],
        "warnings": list(warnings(report)),
        "held_out": {
            "folds": tuned.folds,
            "strong_from": found.strong_from,
            "whole": _suite(whole_of(found)),
            "sources": [_suite(suite) for suite in found.suites],
            "left_out": [asdict(one) for one in found.left_out],
        },
        "elsewhere": [asdict(one) for one in tuned.elsewhere],
        "tiers": [asdict(one) for one in report.tiers],
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
        "terms": [asdict(one) for one in tuned.terms],
        "terms_file": None if proposal.terms is None else proposal.terms.path,
        "findings": list(report.findings),
        "seed": tuned.seed,
        "resamples": found.resamples,
        "patch": report.patch,
    }
    return json.dumps(rounded(document), indent=2, ensure_ascii=False) + "\n"


def _suite(suite: SuiteResult) -> dict[str, Any]:
    return {
        "name": suite.suite,
        "requests": suite.requests,
        "groups": suite.groups,
        "weak": suite.weak,
        "strong": suite.strong,
        "policies": [{"name": policy.name, **asdict(policy.figures)} for policy in suite.policies],
        "differences": [
            {"against": one.against, **asdict(one.figures)} for one in suite.differences
        ],
    }


def _figure(one: Figure) -> dict[str, float]:
    return {"value": one.value, "low": one.low, "high": one.high}
