"""The one place that narrows what is read to the templates somebody may see."""

from collections.abc import Iterator, Sequence

from sqlalchemy import Column, ColumnElement, Connection, exists, or_, select

from glimpser.core.accounts import Scope
from glimpser.db.tables import exports, template_groups


def in_scope(template_id: Column[str], scope: Scope) -> Iterator[ColumnElement[bool]]:
    """Give the condition that the template named in a column is in scope; none if all are.

    A question for each row, and no list of ids to join: so the planner goes on walking the index in whose
    order a list is, and a page needs no sort.
    """
    if scope.groups is not None:
        yield exists().where(
            template_groups.c.template_id == template_id, template_groups.c.name.in_(scope.groups)
        )


def export_in_scope(scope: Scope) -> Iterator[ColumnElement[bool]]:
    """Give the condition that an export is of a template in scope, or of a group that is; none if all are."""
    if scope.groups is not None:
        yield or_(
            exports.c.group_name.in_(scope.groups),
            exists().where(
                template_groups.c.template_id == exports.c.template_id,
                template_groups.c.name.in_(scope.groups),
            ),
        )


def templates_of(connection: Connection, scope: Scope) -> Sequence[str]:
    """Give the ids of the templates in a scope that has groups, each once."""
    named = select(template_groups.c.template_id).where(template_groups.c.name.in_(scope.groups or ()))
    return sorted(set(connection.scalars(named)))
