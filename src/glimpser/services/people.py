"""All that has to do with accounts, around one memory of who there is."""

from dataclasses import dataclass

from glimpser.core.clock import Clock
from glimpser.core.ports import Database
from glimpser.services.accounts import Accounts
from glimpser.services.api_keys import ApiKeys
from glimpser.services.attempts import Attempts
from glimpser.services.key_uses import KeyUses
from glimpser.services.passwords import Passwords
from glimpser.services.principals import Principals
from glimpser.services.tokens import Tokens
from glimpser.services.users import Users


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """A change made through one of them is known to the others at once."""

    accounts: Accounts
    users: Users
    api_keys: ApiKeys
    key_uses: KeyUses

    @classmethod
    def of(
        cls,
        database: Database,
        clock: Clock,
        *,
        passwords: Passwords,
        tokens: Tokens,
        attempts: Attempts | None = None,
    ) -> "People":
        principals = Principals(database, clock)
        return cls(
            accounts=Accounts(
                database=database,
                clock=clock,
                passwords=passwords,
                tokens=tokens,
                principals=principals,
                attempts=attempts,
            ),
            users=Users(database, clock=clock, passwords=passwords, principals=principals),
            api_keys=ApiKeys(database, clock=clock, principals=principals),
            key_uses=principals.key_uses,
        )
