"""A small interpreter of the Kusto query language: one table, a pipeline of operators (facts/arm-service 7.4, 6.4).

| Part | Known |
|---|---|
| operators | `pipeline.STEPS`: filters, projections, `summarize … by`, sorting and limits of one table; |
| | with `joins` also `join` of kind inner or leftouter, `(…) on key` |
| conditions | `and`, `or`, `not`, comparisons, `in`, `in~`, `contains`, `has`, `startswith`, `endswith`, and |
| | `between (a .. b)`, the last six also with `!` |
| functions | `values.FUNCTIONS` and `expressions.SPECIAL`; `+`, `-`, `*`, `/` |
| aggregates | `aggregates.AGGREGATES` |

The rest is refused. A table with columns has its names and types checked before a row is looked at, as Kusto does it;
one without takes any name. Values: datetimes and timespans are seconds; a text that is missing is empty, anything else
None.
"""

from avdtwin.kql.errors import BadQuery
from avdtwin.kql.pipeline import Find, Pipeline
from avdtwin.kql.terms import Table
from avdtwin.kql.values import Row, moment, span

__all__ = ["BadQuery", "Find", "Row", "Table", "moment", "run", "span"]


def run(text: str, find: Find, *, now: float, joins: bool = False) -> Table:
    """The answer to a query; `find` gives a table by its name. Raises BadQuery."""
    return Pipeline(text, find, now, joins).run()
