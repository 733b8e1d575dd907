"""All repositories over one connection."""

from sqlalchemy import Connection

from glimpser.core.accounts import EVERYTHING, Scope
from glimpser.db.queries.accounts import SqlApiKeys, SqlRevocations, SqlUsers
from glimpser.db.queries.alerts import SqlAlerts, SqlDeliveries
from glimpser.db.queries.artifacts import SqlArtifacts, SqlGarbage
from glimpser.db.queries.audit import SqlAudit
from glimpser.db.queries.captures import SqlCaptures
from glimpser.db.queries.channels import SqlChannels
from glimpser.db.queries.counts import SqlCounts
from glimpser.db.queries.events import SqlEvents
from glimpser.db.queries.exports import SqlExports
from glimpser.db.queries.healths import SqlHealths
from glimpser.db.queries.jobs import SqlJobs
from glimpser.db.queries.observations import SqlObservations
from glimpser.db.queries.pictures import SqlPictures
from glimpser.db.queries.retention import SqlRetention
from glimpser.db.queries.schedules import SqlSchedules
from glimpser.db.queries.settings import SqlSettings
from glimpser.db.queries.stream_tickets import SqlStreamTickets
from glimpser.db.queries.templates import SqlTemplates


class SqlTransaction:
    """Implements `core.ports.Transaction`; belongs to the thread that runs the transaction."""

    __slots__ = ("_connection", "_scope")

    def __init__(self, connection: Connection, scope: Scope = EVERYTHING) -> None:
        self._connection = connection
        self._scope = scope

    def within(self, scope: Scope) -> "SqlTransaction":
        return SqlTransaction(self._connection, scope)

    @property
    def templates(self) -> SqlTemplates:
        return SqlTemplates(self._connection, self._scope)

    @property
    def events(self) -> SqlEvents:
        return SqlEvents(self._connection, self._scope)

    @property
    def captures(self) -> SqlCaptures:
        return SqlCaptures(self._connection, self._scope)

    @property
    def artifacts(self) -> SqlArtifacts:
        return SqlArtifacts(self._connection, self._scope)

    @property
    def garbage(self) -> SqlGarbage:
        return SqlGarbage(self._connection)

    @property
    def counts(self) -> SqlCounts:
        return SqlCounts(self._connection)

    @property
    def retention(self) -> SqlRetention:
        return SqlRetention(self._connection)

    @property
    def observations(self) -> SqlObservations:
        return SqlObservations(self._connection, self._scope)

    @property
    def users(self) -> SqlUsers:
        return SqlUsers(self._connection)

    @property
    def api_keys(self) -> SqlApiKeys:
        return SqlApiKeys(self._connection)

    @property
    def stream_tickets(self) -> SqlStreamTickets:
        return SqlStreamTickets(self._connection)

    @property
    def revocations(self) -> SqlRevocations:
        return SqlRevocations(self._connection)

    @property
    def audit(self) -> SqlAudit:
        return SqlAudit(self._connection)

    @property
    def settings(self) -> SqlSettings:
        return SqlSettings(self._connection)

    @property
    def healths(self) -> SqlHealths:
        return SqlHealths(self._connection)

    @property
    def channels(self) -> SqlChannels:
        return SqlChannels(self._connection)

    @property
    def alerts(self) -> SqlAlerts:
        return SqlAlerts(self._connection, self._scope)

    @property
    def deliveries(self) -> SqlDeliveries:
        return SqlDeliveries(self._connection)

    @property
    def jobs(self) -> SqlJobs:
        return SqlJobs(self._connection, self._scope)

    @property
    def schedules(self) -> SqlSchedules:
        return SqlSchedules(self._connection)

    @property
    def exports(self) -> SqlExports:
        return SqlExports(self._connection, self._scope)

    @property
    def pictures(self) -> SqlPictures:
        return SqlPictures(self._connection)
