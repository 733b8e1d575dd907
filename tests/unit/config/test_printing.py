import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from glimpser.config import load, redacted, render_config
from tests.unit.config.given import HIDDEN, read, refusal, write_toml

SECRETS = {
    "GLIMPSER_SECURITY__JWT_SECRET": HIDDEN,
    "GLIMPSER_OBSERVABILITY__METRICS_TOKEN": HIDDEN,
    "GLIMPSER_ADMIN_PASSWORD": HIDDEN,
}
ENVIRON = {**SECRETS, "GLIMPSER_ADMIN_EMAIL": "admin@example.org"}


class TestSecrets:
    def test_they_are_never_printed(self, data_dir: Path) -> None:
        config = read(data_dir, ENVIRON)
        printed = (
            repr(config),
            str(config),
            render_config(config),
            json.dumps(redacted(config)),
            config.model_dump_json(),
        )

        assert not any(HIDDEN in text for text in printed)
        assert repr(config.security.jwt_secret) == "Secret('***')"
        assert config.security.jwt_secret.get_secret_value() == HIDDEN

    @pytest.mark.parametrize("variable", SECRETS)
    def test_a_wrong_one_is_not_repeated(self, data_dir: Path, variable: str) -> None:
        wrong = "tiny-one"

        text = refusal(data_dir, {**ENVIRON, variable: wrong})

        assert f"{variable}: it wants a text of at least" in text
        assert wrong not in text
        assert HIDDEN not in text

    def test_one_of_the_wrong_type_is_not_repeated(self, data_dir: Path) -> None:
        write_toml(data_dir, "[security]\njwt_secret = 4711471147114711\n")

        assert "4711" not in refusal(data_dir)

    def test_passwords_in_addresses_are_not_repeated(self, data_dir: Path) -> None:
        text = refusal(data_dir, {"GLIMPSER_DATABASE__URL": f"postgresql://user:{HIDDEN}@host/name"})

        assert HIDDEN not in text
        assert "postgresql://user:***@host/name" in text

    def test_a_long_value_is_shown_short_and_on_one_line(self, data_dir: Path) -> None:
        text = refusal(data_dir, {"GLIMPSER_SERVER__PORT": "9\n\x1b" * 10_000})

        assert len(text) < 400
        assert "\x1b" not in text
        assert text.count("\n") == 1


class TestPrinting:
    def test_what_is_printed_is_toml_that_says_the_same(self, data_dir: Path) -> None:
        config = read(data_dir, {"GLIMPSER_OBSERVABILITY__LOG_LEVELS": '{"glimpser.capture": "debug"}'})

        printed = tomllib.loads(render_config(config))

        assert printed == _without_none(redacted(config))
        assert printed["observability"]["log_levels"] == {"glimpser.capture": "debug"}

    def test_what_is_printed_can_be_given_again(self, data_dir: Path, tmp_path: Path) -> None:
        environ = {"GLIMPSER_SECURITY__JWT_SECRET": HIDDEN}
        config = read(data_dir, environ, **{"server.port": 8181})
        file = tmp_path / "printed.toml"
        file.write_text(render_config(config))

        again = load({}, {**environ, "GLIMPSER_CONFIG": str(file)})

        assert again == config

    def test_settings_without_a_value_stand_in_comments(self, data_dir: Path) -> None:
        assert "\n# public_url =\n" in render_config(read(data_dir))

    def test_odd_characters_stay_inside_their_quotes(self, data_dir: Path) -> None:
        odd = 'a"\n[server]\x7f\\é'

        printed = tomllib.loads(render_config(read(data_dir, failpoint=odd)))

        assert printed["failpoint"] == odd


def _without_none(tree: dict[str, Any]) -> dict[str, Any]:
    return {
        name: _without_none(value) if isinstance(value, dict) else value
        for name, value in tree.items()
        if value is not None
    }
