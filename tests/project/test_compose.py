"""The containers cannot be started where tests run, so what they name is checked to exist.

Schema: compose-spec.json beside this file (its source stands inside). Beyond the schema: every
command is a part of bin/serve, every variable is read by the service, every health address
answers in the URL configuration, every secret is made by `bin/serve secrets` and none is written
here, every mounted file exists.
"""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jsonschema
import pytest
import yaml

from config import secretfiles, serve

ROOT = Path(__file__).resolve().parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if "build" in service}
DOCKERFILE = (ROOT / "Dockerfile").read_text()


def source() -> str:
    """All code that may read a variable."""
    return "\n".join(path.read_text() for path in (ROOT / "config").glob("*.py"))


def test_the_file_follows_the_compose_specification() -> None:
    schema = json.loads((Path(__file__).parent / "compose-spec.json").read_text())
    jsonschema.Draft7Validator(schema).validate(COMPOSE)


def test_the_schema_would_find_a_mistake() -> None:
    schema = json.loads((Path(__file__).parent / "compose-spec.json").read_text())
    wrong = {**COMPOSE, "services": {**SERVICES, "db": {"imagee": "postgres"}}}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft7Validator(schema).validate(wrong)


def test_every_part_of_the_service_has_its_container() -> None:
    assert {*serve.PARTS, "migrate", "db", "redis"} == set(SERVICES)
    for name, service in OURS.items():
        assert service["command"] == [name]
    assert 'ENTRYPOINT ["bin/serve"]' in DOCKERFILE


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_every_variable_is_read_by_somebody(name: str) -> None:
    known = source()
    for variable in SERVICES[name].get("environment", {}):
        base = variable.removesuffix("_FILE")
        if name in OURS:
            assert f'"{variable}"' in known or f'"{base}"' in known, f"{name}: {variable}"
        else:
            assert variable == "POSTGRES_PASSWORD_FILE"  # the image's own


def test_what_the_service_requires_is_given_to_every_part() -> None:
    for name, service in OURS.items():
        given = {key.removesuffix("_FILE") for key in service["environment"]}
        assert {key.removesuffix("_FILE") for key in serve.REQUIRED} <= given, name
    assert [n for n, s in OURS.items() if "database_owner_url" in s["secrets"]] == ["migrate"]


def test_variables_of_the_image_are_read() -> None:
    known = source()
    named = re.findall(r"^(?:ENV|   ) +([A-Z_]+)=", DOCKERFILE, re.M)
    assert {"PRODUCTION", "DATA_DIR", "WEB_HOST", "WEB_PORT"} <= set(named)
    for variable in set(named) - {"PYTHONDONTWRITEBYTECODE"}:
        assert f'"{variable}"' in known, variable


def test_every_health_address_exists() -> None:
    from django.urls import resolve

    addresses = re.findall(r"http://[^\s\"']+", DOCKERFILE)
    for name, service in SERVICES.items():
        if name == "migrate":
            continue
        command = service["healthcheck"]["test"]
        assert command[0] == "CMD", name
        if name in OURS:
            assert command[1:3] == ["bin/serve", "health"]
            addresses.append(command[3])
    assert len(addresses) == 4
    for address in addresses:
        parts = urlsplit(address)
        assert parts.port == 8000
        assert parts.hostname in {"127.0.0.1", "web"}
        resolve(parts.path)


def test_waiting_for_health_needs_a_health_check() -> None:
    for name, service in SERVICES.items():
        for other, how in service.get("depends_on", {}).items():
            if how["condition"] == "service_healthy":
                assert "healthcheck" in SERVICES[other], f"{name} waits for {other}"
            else:
                assert SERVICES[other]["restart"] == "no"


def test_secrets_are_files_that_are_made_and_ignored_by_git(tmp_path: Path) -> None:
    made = set(secretfiles.make(tmp_path))
    assert made == set(COMPOSE["secrets"])
    assert secretfiles.make(tmp_path) == []  # never made anew
    for name, secret in COMPOSE["secrets"].items():
        assert secret == {"file": f"${{SECRETS_DIR:-./var/secrets}}/{name}"}
    used = {name for service in SERVICES.values() for name in service.get("secrets", [])}
    assert used == made
    assert "var/" in (ROOT / ".gitignore").read_text().split()
    assert "var" in (ROOT / ".dockerignore").read_text().split()
    text = (ROOT / "docker-compose.yml").read_text() + DOCKERFILE
    assert not re.search(r"(?i)(password|secret|key)\s*[:=]\s*['\"]?[A-Za-z0-9+/]{8,}", text)


def test_database_passwords_match_their_addresses(tmp_path: Path) -> None:
    secretfiles.make(tmp_path)
    for role, name in (("app", "database_url"), ("owner", "database_owner_url")):
        parts = urlsplit((tmp_path / name).read_text().strip())
        assert parts.username == f"tsunagari_{role}"
        assert parts.password == (tmp_path / f"{role}_password").read_text().strip()
        assert parts.hostname == "db" in SERVICES


def test_the_doorbell_keeps_and_evicts_nothing() -> None:
    command = SERVICES["redis"]["command"]
    assert command[command.index("--maxmemory-policy") + 1] == "noeviction"
    assert command[command.index("--save") + 1] == ""


def test_the_database_is_durable() -> None:
    assert {"fsync=on", "synchronous_commit=on"} <= set(SERVICES["db"]["command"])


def test_images_have_a_version_and_mounted_files_exist() -> None:
    for name, service in SERVICES.items():
        assert re.search(r":[\w.-]+$", service["image"]), name
        assert not service["image"].endswith(":latest")
        for volume in service.get("volumes", []):
            place = volume.split(":")[0]
            assert (ROOT / place).exists() if place.startswith(".") else place in COMPOSE["volumes"]
    for copied in re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.M):
        for file in copied.split():
            assert (ROOT / file).exists(), file


def test_shell_files_are_posix_and_parse() -> None:
    files = [*(ROOT / "bin").glob("[a-z]*"), ROOT / "bin" / "_python"]
    for path in files:
        if path.is_file() and path.suffix in {"", ".sh"}:
            subprocess.run(["sh", "-n", str(path)], check=True)


def test_the_database_container_uses_the_same_roles_as_the_tests() -> None:
    script = (ROOT / "bin" / "docker-initdb.sh").read_text()
    roles = (ROOT / "bin" / "roles.sql").read_text()
    for role in secretfiles.ROLES:
        assert f"/run/secrets/{role}_password" in script
        assert f":'{role}_password'" in roles
    mounts = {volume.split(":")[1] for volume in SERVICES["db"]["volumes"][1:]}
    assert {"/opt/tsunagari/roles.sql", "/opt/tsunagari/roles-database.sql"} <= mounts
