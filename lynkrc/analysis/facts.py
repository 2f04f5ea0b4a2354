"""The facts that relate the variables of a domain to constraints of the solver."""

from collections.abc import Sequence

import z3

from lynkrc.analysis.logic import all_of, any_of, not_
from lynkrc.analysis.relations import Bound, Relation, relations
from lynkrc.ir.domain import Domain


def facts(
    domain: Domain, ints: Sequence[z3.ArithRef], bools: Sequence[z3.BoolRef | None]
) -> list[z3.BoolRef]:
    """What holds of every request: the relations that `lynkrc.analysis.relations` lists.

    `ints[v]` is the value of variable v in its range; `bools[v]`, where v is a bool, is whether
    that is 1, else None.
    """
    return [constraint(one, ints, bools) for one in relations(domain)]


def constraint(
    relation: Relation, ints: Sequence[z3.ArithRef], bools: Sequence[z3.BoolRef | None]
) -> z3.BoolRef:
    """One relation as a clause: a condition fails, or the sum is as it must be."""
    clause = [not_(_holds(one, ints, bools)) for one in relation.where]
    match relation.terms:
        case ():
            if relation.most >= 0:
                clause.append(z3.BoolVal(True, ints[0].ctx))
        case ((factor, variable),) if (flag := bools[variable]) is not None:
            clause += [
                literal
                for literal, value in ((flag, 1), (not_(flag), 0))
                if factor * value <= relation.most
            ]
        case terms:
            total = z3.Sum([factor * ints[variable] for factor, variable in terms])
            clause.append(total <= relation.most)
    return clause[0] if len(clause) == 1 else any_of(*clause)


def _holds(
    bound: Bound, ints: Sequence[z3.ArithRef], bools: Sequence[z3.BoolRef | None]
) -> z3.BoolRef:
    flag = bools[bound.variable]
    if flag is not None:
        allowed = [
            literal
            for literal, value in ((flag, 1), (not_(flag), 0))
            if (bound.low is None or value >= bound.low)
            and (bound.high is None or value <= bound.high)
        ]
        return allowed[0] if len(allowed) == 1 else z3.BoolVal(bool(allowed), flag.ctx)
    value = ints[bound.variable]
    if bound.low is not None and bound.low == bound.high:
        return value == bound.low
    ends = []
    if bound.low is not None:
        ends.append(value >= bound.low)
    if bound.high is not None:
        ends.append(value <= bound.high)
    return all_of(*ends)
