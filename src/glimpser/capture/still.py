"""One picture from anything, without a running server: what `glimpser snapshot` does."""

from glimpser.capture.ingest.opening import Media, MediaError, Opener, Patience
from glimpser.capture.ingest.picture import Jpeg, Picture
from glimpser.core.clock import SystemClock
from glimpser.core.errors import InvalidInput, Unavailable
from glimpser.core.frames import NATIVE_WIDTH
from glimpser.core.live import MediaInput
from glimpser.streaming.retouch import AS_IT_IS, Retouch


def take_picture(opener: Opener, media: MediaInput, *, retouch: Retouch = AS_IT_IS) -> Jpeg:
    """Open, decode the first picture, close. Blocks for seconds.

    Raises:
        InvalidInput: it can never work this way; the sentence says what to mend.
        Unavailable: it does not work now.
    """
    try:
        with opener.open(media) as opened:
            return _first_picture(opened, retouch)
    except MediaError as error:
        if error.patience is Patience.NEVER:
            raise InvalidInput(error.reason) from error
        raise Unavailable(error.reason) from error


def _first_picture(media: Media, retouch: Retouch) -> Jpeg:
    for frame in media.container.decode(media.stream):
        picture = Picture(frame, sequence=1, captured_at=SystemClock().now(), retouch=retouch)
        return picture.jpeg(NATIVE_WIDTH)
    raise MediaError("There is no picture in it.")
