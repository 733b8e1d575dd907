import pytest

from glimpser.streaming.rtsp.transport import Lower, Offer, choose

BOTH = frozenset(Lower)


@pytest.mark.parametrize(
    ("header", "offer"),
    [
        ("RTP/AVP/TCP;unicast;interleaved=2-3", Offer(Lower.TCP, 2, 3)),
        ("RTP/AVP/TCP;unicast", Offer(Lower.TCP, 0, 1)),
        ("RTP/AVP/TCP;interleaved=254-255", Offer(Lower.TCP, 254, 255)),
        ("rtp/avp/tcp; unicast; interleaved=4", Offer(Lower.TCP, 4, 5)),
        ("RTP/AVP;unicast;client_port=5000-5001", Offer(Lower.UDP, 5000, 5001)),
        ("RTP/AVP/UDP;unicast;client_port=5000-5001;mode=play", Offer(Lower.UDP, 5000, 5001)),
        ('RTP/AVP;unicast;client_port=5000-5001;mode="PLAY"', Offer(Lower.UDP, 5000, 5001)),
        ("RTP/AVP;multicast,RTP/AVP/TCP;unicast;interleaved=0-1", Offer(Lower.TCP, 0, 1)),
    ],
)
def test_an_offer_is_taken(header: str, offer: Offer) -> None:
    assert choose(header, BOTH) == offer


@pytest.mark.parametrize(
    "header",
    [
        "",
        ";;;,,,",
        "RTP/AVP",
        "RTP/AVP;multicast;client_port=5000-5001",
        "RTP/AVP;unicast;client_port=0-1",
        "RTP/AVP;unicast;client_port=53-54",
        "RTP/AVP;unicast;client_port=65535",
        "RTP/AVP;unicast;client_port=-5000",
        "RTP/AVP;unicast;client_port=5000-5000",
        "RTP/AVP;unicast;client_port=99999-100000",
        "RTP/AVP/TCP;interleaved=255",
        "RTP/AVP/TCP;interleaved=300-301",
        "RTP/AVP/TCP;interleaved=a-b",
        "RTP/AVP/TCP;interleaved=0-1;mode=record",
        "RTP/SAVP;unicast;client_port=5000-5001",
    ],
)
def test_an_offer_that_cannot_be_served_is_refused(header: str) -> None:
    assert choose(header, BOTH) is None


def test_only_accepted_transports_are_taken() -> None:
    header = "RTP/AVP;unicast;client_port=5000-5001,RTP/AVP/TCP;interleaved=0-1"

    assert choose(header, {Lower.TCP}) == Offer(Lower.TCP, 0, 1)
    assert choose(header, {Lower.UDP}) == Offer(Lower.UDP, 5000, 5001)
    assert choose(header, ()) is None
