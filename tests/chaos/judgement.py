"""Whether what the cluster holds in the end, and said on the way, fits what the
clients were told. Each function returns violations as texts."""

import re

import linearizability
from history import FAILED, MISMATCH, OK

LEAST_PER_SECOND = 10


def elements(operations, found, where):
    """Operations that each add one value of their own, and the values found in
    the end: what was acknowledged is there once, what was refused is not, and
    nothing is there that nobody tried to add."""
    wrong = []
    attempted = {operation.value: operation for operation in operations}
    for value in sorted(set(found), key=str):
        count = found.count(value)
        if count > 1:
            wrong.append(f"duplicate: {value!r} is {count} times in {where}")
        if value not in attempted:
            wrong.append(f"invented: {value!r} in {where}")
        elif attempted[value].outcome == FAILED:
            wrong.append(f"refused and yet there, in {where}: "
                         f"{attempted[value]} ({attempted[value].detail})")
    there = set(found)
    wrong += [f"lost in {where}: {operation}" for operation in operations
              if operation.outcome == OK and operation.value not in there]
    return wrong


def registers(operations):
    """Histories of the registers, and their versions."""
    wrong, undecided = linearizability.check_all(operations)
    result = [f"{key} is {verdict.report()}" for key, verdict in wrong.items()]
    result += [f"undecided: the history of {key} is too long to check"
               for key in undecided]
    values = {}
    for operation in operations:
        if operation.version is not None and operation.outcome == OK:
            values.setdefault((operation.key, operation.version),
                              set()).add(operation.value)
    result += [f"{key} has several values of version {version}: {found}"
               for (key, version), found in values.items() if len(found) > 1]
    return result


def refused_firsts(operations):
    """A port that nobody used before can't be taken: a conflict means that the
    same request was carried out twice."""
    return [f"carried out twice: {operation} ({operation.detail})"
            for operation in operations if operation.kind == "register"
            and (operation.detail or "").startswith("409")]


def leaders(seen):
    """`seen`: (term, leader's name, who said so). A term has one leader."""
    by_term = {}
    for term, leader, source in seen:
        by_term.setdefault(term, {}).setdefault(leader, set()).add(source)
    return [f"two leaders in term {term}: "
            + ", ".join(f"{leader} (says {', '.join(sorted(sources))})"
                        for leader, sources in found.items())
            for term, found in sorted(by_term.items()) if len(found) > 1]


LEADS = re.compile(r"(\S+) leads the cluster \(term (\d+)\)")


def leaders_in(text, source):
    """(term, leader, source) of each such line of events or logs."""
    return {(int(term), name, source) for name, term in LEADS.findall(text)}


BROKEN = re.compile(r".*(?:AddressSanitizer|ThreadSanitizer|LeakSanitizer|"
                    r"runtime error:|terminate called|Assertion .* failed|"
                    r"stack smashing|free\(\): invalid).*")


def breakage(node_name, output):
    """What sanitizers and aborts leave in a node's output."""
    return [f"{node_name} wrote: {line.strip()[:300]}"
            for line in BROKEN.findall(output)[:5]]


ENDED = re.compile(r"supervisor: (\S+) ended \((.*)\), restart in")


def ended_actors(node_name, output):
    """Actors that ended by themselves. Their restart hides it from clients."""
    return [f"{node_name}: {actor} ended: {why}"
            for actor, why in ENDED.findall(output)[:5]]


def too_little(history, seconds):
    """What a run without work shows is nothing."""
    least = int(LEAST_PER_SECOND * seconds)
    done = history.count(OK)
    return ([] if done >= least else
            [f"only {done} operations were acknowledged, not {least}"])


def outcomes(history):
    return {outcome: history.count(outcome)
            for outcome in (OK, FAILED, MISMATCH, "unknown")}
