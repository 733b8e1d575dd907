"""One picture from anything, without a running server: what `glimpser snapshot` does."""

from glimpser.capture.ingest.opening import Media, MediaError, Opener, Patience
from glimpser.capture.ingest.picture import Jpeg, encode_jpeg
from glimpser.core.errors import InvalidInput, Unavailable
from glimpser.core.live import MediaInput


def take_picture(opener: Opener, media: MediaInput) -> Jpeg:
    """Open, decode the first picture, close. Blocks for seconds.

    Raises:
        InvalidInput: it can never work this way; the sentence says what to mend.
        Unavailable: it does not work now.
    """
    try:
        with opener.open(media) as opened:
            return _first_picture(opened)
    except MediaError as error:
        if error.patience is Patience.NEVER:
            raise InvalidInput(error.reason) from error
        raise Unavailable(error.reason) from error


def _first_picture(media: Media) -> Jpeg:
    for frame in media.container.decode(media.stream):
        return encode_jpeg(frame, 0)
    raise MediaError("There is no picture in it.")
