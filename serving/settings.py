"""The service's settings, from environment variables that begin with MUSNAD_ (the table is in docs/operations.md)."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Literal, TypedDict

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict, SettingsError

from model.runtime import Runtime
from serving.headers import check_origins
from serving.ratelimit import parse_limits

PREFIX = "MUSNAD_"

#: A list in an environment variable: values with commas between them.
CommaSeparated = Annotated[list[str], NoDecode]


class NetworkSettings(TypedDict):
    """The settings that loading a checkpoint takes."""

    runtime: Runtime
    threads: int
    calls: int


class BadSettingsError(ValueError):
    """Settings that cannot be used: names each variable and what is wrong with it."""


class Settings(BaseSettings):
    """Everything that can be set; the description of each is its documentation."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid")

    host: str = Field(default="127.0.0.1", description="Address to listen on; 0.0.0.0 is every one of this machine.")
    port: int = Field(default=8000, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    workers: int = Field(default=1, ge=1, le=256, description="Processes, each with a model of its own.")
    checkpoint: Path | None = Field(
        default=None,
        description="Checkpoint directory, or the name of one that ships: `default` (taken where none is named) or "
        "`fast`; or a registry of `musnad models`, or a link, which are followed while the service runs.",
    )
    runtime: Runtime = Field(
        default="openvino",
        description="What runs the network: `openvino` (bf16 or int8 matrices where the processor multiplies them), "
        "`openvino-fp32`, `onnxruntime` (fp32), or `onnxruntime-int8` (the least memory).",
    )
    threads: int = Field(default=0, ge=0, description="Cores that the network may use; 0 is all.")
    batches_at_a_time: int = Field(
        default=0, ge=0, le=256, description="Batches that share those cores at a time; 0 is one a core."
    )
    batch_sentences: int = Field(default=8, ge=1, description="Sentences of a batch, at most.")
    batch_tokens: int = Field(default=512, ge=1, description="Pieces of a batch, padding included, at most.")
    batch_wait_ms: float = Field(
        default=2.0,
        ge=0,
        le=1000,
        description="Milliseconds that a batch with room waits for requests that have arrived.",
    )
    queue_sentences: int = Field(default=4096, ge=1, description="Sentences that may wait; more are answered 503.")
    request_timeout_s: float = Field(
        default=30.0,
        gt=0,
        description="Seconds to answer a request in, then it is a 504; and that a document may hold up a stream.",
    )
    body_timeout_s: float = Field(
        default=30.0, gt=0, description="Seconds that a body may take to arrive; then it is a 408."
    )
    shutdown_timeout_s: int = Field(
        default=20, ge=1, description="Seconds to finish in what was begun when told to stop."
    )
    max_body_bytes: int = Field(
        default=8 * 1024 * 1024, ge=1024, description="Bytes of a body, or of a line of a stream."
    )
    max_bodies_bytes: int = Field(
        default=256 * 1024 * 1024,
        ge=1024,
        description="Bytes of all bodies that are held at a time; more are answered 503.",
    )
    max_documents: int = Field(default=256, ge=1, description="Documents of a request; a stream has no limit.")
    max_characters: int = Field(default=200_000, ge=1, description="Characters (code points) of a document.")
    keys_file: Path | None = Field(default=None, description="File of API keys, made by `musnad keys create`.")
    require_keys: Literal["auto", "yes", "no"] = Field(
        default="auto",
        description="Whether requests need an API key; `auto`: where the service listens beyond loopback.",
    )
    rate_limit: str | None = Field(
        default=None,
        description="Requests of one key (or, without keys, of one address), as `600/minute`, in each worker.",
    )
    cors_origins: CommaSeparated = Field(
        default=[], description="Origins whose pages may call the service, with commas between them; by default none."
    )
    database_url: str | None = Field(
        default="sqlite:///musnad.db", description="Where annotations are kept: an SQLAlchemy URL; empty for nowhere."
    )
    state_dir: Path | None = Field(
        default=None,
        description="Directory through which workers tell each other of a new model; `musnad serve` makes one.",
    )
    log_format: Literal["console", "json"] = Field(default="console", description="How log lines look.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="The least level logged."
    )
    tracing: bool = Field(
        default=False, description="Send OpenTelemetry traces (extra `tracing`), as OTEL_* variables say."
    )

    @property
    def network(self) -> NetworkSettings:
        """How to load a checkpoint."""
        return {"runtime": self.runtime, "threads": self.threads, "calls": self.batches_at_a_time}

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value

    @field_validator("checkpoint", "keys_file", "rate_limit", "database_url", mode="before")
    @classmethod
    def _empty_is_none(cls, value: object) -> object:
        return None if value == "" else value

    @field_validator("rate_limit")
    @classmethod
    def _is_rate_limit(cls, value: str | None) -> str | None:
        if value is not None:
            parse_limits(value)
        return value

    @field_validator("cors_origins")
    @classmethod
    def _are_origins(cls, value: list[str]) -> list[str]:
        return check_origins(value)


def strangers(names: Iterable[str]) -> list[str]:
    """What to say of the names of variables that begin as settings do, and are none: a slip of the pen is not heard."""
    known = [PREFIX + name.upper() for name in Settings.model_fields]
    said = []
    for name in sorted(names):
        if name.upper().startswith(PREFIX) and name.upper() not in known:
            near = get_close_matches(name.upper(), known, 1)
            said.append(f"{name} is not a setting" + (f"; is {near[0]} meant?" if near else ""))
    return said


def read_settings(**given: object) -> Settings:
    """Settings from the environment, and from `given` before it; raises BadSettingsError."""
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        problems = [f"{PREFIX}{str(item['loc'][0]).upper()}: {item['msg']}" for item in error.errors()]
        raise BadSettingsError("; ".join(problems)) from None
    except SettingsError as error:
        raise BadSettingsError(str(error)) from None
