from hypothesis import given
from hypothesis import strategies as st

from glimpser.services.tickets import LIFETIME_S, Tickets
from glimpser.testing.clock import FakeClock

PATH = "/api/artifacts/01ARZ3NDEKTSV4RRFFQ69G5FAV"
SECRET = "a signing secret of forty-two characters.."


def test_a_ticket_opens_its_path_until_its_time() -> None:
    clock = FakeClock()
    tickets = Tickets(SECRET, clock)
    ticket = tickets.issue(PATH)

    opened = [tickets.check(PATH, ticket)]
    for seconds in (LIFETIME_S - 1, 1):
        clock.advance(seconds)
        opened.append(tickets.check(PATH, ticket))

    assert opened == [True, True, False]


def test_a_ticket_goes_into_a_url_as_it_is() -> None:
    ticket = Tickets(SECRET, FakeClock()).issue(PATH)

    assert set(ticket) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")


def test_a_ticket_opens_no_other_path_and_no_other_program() -> None:
    tickets = Tickets(SECRET, FakeClock())
    ticket = tickets.issue(PATH)

    others = [PATH[:-1], PATH + "/", PATH.lower(), "", "/", PATH + "\n", PATH[:-1] + "W"]
    assert not any(tickets.check(path, ticket) for path in others)
    assert not Tickets(SECRET + ".", FakeClock()).check(PATH, ticket)


def test_a_ticket_with_another_time_is_none() -> None:
    clock = FakeClock()
    tickets = Tickets(SECRET, clock)
    expiry, _, mac = tickets.issue(PATH, ttl_s=10).partition(".")

    forged = [f"{int(expiry) + 1}.{mac}", f"0{expiry}.{mac}", f"{expiry}1.{mac}", f"+{expiry}.{mac}"]

    assert not any(tickets.check(PATH, ticket) for ticket in forged)


@given(position=st.integers(0, 100), letter=st.sampled_from("aZ09_-.\n é"))
def test_a_ticket_with_another_letter_is_none(position: int, letter: str) -> None:
    tickets = Tickets(SECRET, FakeClock())
    ticket = tickets.issue(PATH)
    place = position % len(ticket)
    tampered = ticket[:place] + letter + ticket[place + 1 :]

    assert tickets.check(PATH, tampered) == (tampered == ticket)


@given(text=st.text(max_size=80))
def test_what_is_no_ticket_opens_nothing(text: str) -> None:
    assert not Tickets(SECRET, FakeClock()).check(PATH, text)


def test_the_end_of_a_ticket_is_refused_with_more_behind_it() -> None:
    tickets = Tickets(SECRET, FakeClock())
    ticket = tickets.issue(PATH)

    assert not any(tickets.check(PATH, ticket + rest) for rest in ("\n", "=", "A", " "))
