"""What an import of templates came to, or would."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from glimpser.services.moving import Action, Change


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportProblem:
    """What is wrong with one field; `pointer` is a JSON Pointer (RFC 6901) into the template."""

    pointer: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedTemplate:
    """`fields` are those that change; `left` says of each field that was not carried over why."""

    name: str
    action: Action
    id: str | None
    fields: Sequence[str]
    errors: Sequence[ImportProblem]
    missing_secrets: Sequence[str]
    left: Mapping[str, str]
    notes: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportView:
    """One item for each template of the file, in its order."""

    dry_run: bool
    items: Sequence[ImportedTemplate]


def import_view(changes: Sequence[Change], *, dry_run: bool) -> ImportView:
    items = [
        ImportedTemplate(
            name=change.name,
            action=change.action,
            id=change.id,
            fields=change.fields,
            errors=[ImportProblem(pointer=one.pointer, message=one.message) for one in change.errors],
            missing_secrets=change.missing_secrets,
            left=change.left,
            notes=change.notes,
        )
        for change in changes
    ]
    return ImportView(dry_run=dry_run, items=items)
