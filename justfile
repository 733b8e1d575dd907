# The tasks of this repository. `./run just RECIPE` brings what they need.

set shell := ["bash", "-euo", "pipefail", "-c"]

export PATH := justfile_directory() / ".venv/bin" + ":" + env("PATH")
compile := "uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header"

npm := "python web/hatch_build.py"

# Show the recipes
default:
    @just --list --unsorted

# Rewrite the code in its one format and mend what can be mended safely
format:
    ruff check --fix --quiet
    ruff format

# Every check that reads the code without running it, types apart
lint: style imports dependencies locks secrets licences workflows web-lint

# Check the types of the program, its tests and ./run
types:
    mypy
    mypy run

# Pass all tests; arguments go to pytest
test *args:
    ./run test {{ args }}

# Measure the hot paths (by hand, on a quiet machine)
bench *args:
    python -m tests.bench {{ args }}

# Run the program under load for a long time and watch what it costs
soak *args:
    python -m tests.soak {{ args }}

# Throw many more random inputs at the parsers than the suite does, and ten minutes of them at the API
fuzz *args:
    pytest -m hypothesis --hypothesis-profile=fuzz --timeout=3600 {{ args }}

# What must hold before a change is merged
ci:
    bash .ci/run

# Write the OpenAPI document
openapi:
    glimpser openapi -o docs/reference/openapi.json

# Write down who may do what, as a server that runs decides it
access-matrix:
    python -m tests.contract.access

# Pin every dependency anew with its hashes; arguments go to uv (`--upgrade`, `--upgrade-package NAME`)
lock *args:
    {{ compile }} {{ args }} pyproject.toml --output-file requirements/run.txt
    {{ compile }} {{ args }} pyproject.toml --group develop --constraint requirements/run.txt --output-file requirements/develop.txt
    {{ compile }} {{ args }} requirements/build.in --constraint requirements/develop.txt --output-file requirements/build.txt
    {{ compile }} {{ args }} requirements/web.in --output-file requirements/web.txt

# Describe the interface to the web app: its types, from the OpenAPI document
web-types: openapi
    {{ npm }} run types -- ../docs/reference/openapi.json

# Pass the web app's own tests
web-test:
    {{ npm }} test

# Rewrite the web app's code in its one format
web-format:
    {{ npm }} run format

# Work on the web app with changes seen at once; GLIMPSER_URL names the server, if it is another
web-dev:
    {{ npm }} run dev

# One by one, what `lint` does ------------------------------------------------------------------

# The rules and the format of ruff
style:
    ruff check
    ruff format --check

# What may import what
imports:
    lint-imports --no-cache --no-logo

# Every import is a declared dependency and every dependency is imported
dependencies:
    deptry src

# The requirement files agree with pyproject.toml, with each other and with what is installed
locks:
    pytest -q -k lock tests/unit/test_house.py
    uv pip check --quiet

# No secret lies in what git tracks (nothing is sent anywhere)
secrets repository=".":
    #!/usr/bin/env bash
    set -euo pipefail
    tree=$(mktemp -d)
    trap 'rm -rf "$tree"' EXIT
    git -C {{ quote(repository) }} checkout-index --all --prefix="$tree/"
    cd "$tree"
    kingfisher --quiet --no-update-check scan --no-validate --redact .

# Licences that allow everybody to use, change and pass on the program
licences:
    pip-licenses --partial-match --allow-only="Apache;BSD;CC0;ISC;MIT;MPL-2.0;Mozilla Public License;PSF;Unlicense" > /dev/null

# The workflows of the forge give away no rights
workflows:
    zizmor --offline --quiet .github

# Types, rules and format of the web app; its types of the interface are those `web-types` makes
web-lint:
    {{ npm }} run lint
    {{ npm }} run fresh
