"""Settings: read once, at the edge, and handed inwards."""

from __future__ import annotations

from pathlib import Path
from tomllib import TOMLDecodeError
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    SecretStr,
    ValidationError,
)
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from qdepot.errors import InvalidRequestError
from qdepot.ports.settings import Public, PublicPath, PublicUrl, Seconds, wrong_settings


def _split(value: object) -> object:
    """The parts of a text with commas, as it comes from the environment."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _reason(error: TOMLDecodeError | UnicodeDecodeError | OSError) -> str:
    """Why a file cannot be read; never what it holds."""
    if isinstance(error, TOMLDecodeError):
        return str(error)
    return "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else str(error.strerror)


Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
"""A list in a file; in the environment a text with commas."""


class StoreSettings(BaseModel):
    """How to reach an object store in a cloud.

    Nothing here is needed for a bucket at its own cloud, with credentials from the usual chain of places (environment,
    web identity, the machine's metadata service).
    """

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    endpoint: PublicUrl | None = Field(default=None, description="URL of an S3-compatible server.")
    region: Public[str | None] = Field(default=None, description="Region of the bucket.")
    path_style: Public[bool | None] = Field(
        default=None, description="The bucket is part of the path; default: true where there is an endpoint."
    )
    access_key_id: str | None = Field(default=None, description="S3 access key; default: the usual chain.")
    secret_access_key: SecretStr | None = Field(default=None, description="S3 secret key.")
    session_token: SecretStr | None = Field(default=None, description="S3 session token.")
    root_certificate: PublicPath | None = Field(default=None, description="A further authority to trust (PEM).")
    server_side_encryption: Public[str | None] = Field(default=None, description="AES256, aws:kms or aws:kms:dsse.")
    kms_key_id: str | None = Field(default=None, description="The key for the latter two.")
    create_buckets: Public[bool] = Field(default=False, description="Make a bucket of S3 that is not there.")
    more: dict[str, str] = Field(
        default_factory=dict, repr=False, description="Further settings by their names in the library obstore."
    )


class DaskSettings(BaseModel):
    """The Dask cluster whose workers run simulations."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    scheduler: PublicUrl = Field(
        default="tcp://127.0.0.1:8786", description="Address of its scheduler, tcp://host:8786 or tls://host:8786."
    )
    tls_ca: PublicPath | None = Field(default=None, description="Authority of the cluster's certificates (PEM).")
    tls_cert: PublicPath | None = Field(default=None, description="Certificate that this service shows (PEM).")
    tls_key: PublicPath | None = Field(default=None, description="Private key of tls_cert (PEM).")
    direct: Public[bool] = Field(
        default=False, description="Fetch results from the workers themselves, which the service must then reach."
    )
    threads: Public[PositiveInt | None] = Field(
        default=None,
        description="Most threads of one large simulation on a worker; default: as many as this machine has cores.",
    )
    silence_s: Public[Seconds] = Field(
        default=30.0, description="Seconds without a word after which a scheduler or worker counts as lost."
    )


class ProjectSettings(BaseModel):
    """What one project may; what is left out is as for all."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    max_body_bytes: Public[PositiveInt | None] = None
    max_body_values: Public[PositiveInt | None] = None
    max_circuits: Public[PositiveInt | None] = None
    max_total_shots: Public[PositiveInt | None] = None
    max_jobs_in_flight: Public[PositiveInt | None] = None
    requests_per_s: Public[PositiveFloat | None] = None
    request_burst: Public[PositiveInt | None] = None


class Settings(BaseSettings):
    """All settings of a service or reconciler.

    Each comes, in this order, from the command line, from the environment (``QDEPOT_`` and the name in capitals;
    nested: ``QDEPOT_PROVIDERS__AER__DEPTH``), from the file ``qdepot.toml`` in the working directory, or is the
    default.
    """

    model_config = SettingsConfigDict(
        env_prefix="QDEPOT_",
        env_nested_delimiter="__",
        env_ignore_empty=True,  # manifests fill in what is there, and leave the rest empty
        toml_file="qdepot.toml",
        hide_input_in_errors=True,
        extra="forbid",  # a setting with a typing error would not be in force, and nobody would know
    )

    data: PublicPath = Field(default=Path("qdepot-data"), description="Folder of the embedded ledger and object store.")
    ledger: SecretStr | None = Field(
        default=None,
        description="Database URL, sqlite:////path or postgresql://user:password@host/name; default: SQLite in the "
        "data folder.",
    )
    store_pending: PublicUrl | None = Field(
        default=None,
        description="Where jobs lie that have not ended: a folder, or s3://bucket/prefix, gs://..., az://...; default: "
        "in the data folder.",
    )
    store_completed: PublicUrl | None = Field(
        default=None, description="Where jobs lie that have ended; as store_pending. Default: in the data folder."
    )
    store: StoreSettings = Field(default_factory=StoreSettings, description="How to reach stores in a cloud.")

    host: Public[str] = Field(
        default="127.0.0.1", description="Address to listen on. Without authentication it must be a loopback address."
    )
    port: Public[int] = Field(default=8484, ge=0, le=65535, description="Port to listen on; 0: a free one.")
    tls_cert: PublicPath | None = Field(default=None, description="Certificate chain (PEM); serves HTTPS with tls_key.")
    tls_key: PublicPath | None = Field(default=None, description="Private key (PEM) of tls_cert.")
    tls: Public[Literal["self-signed"] | None] = Field(
        default=None,
        description="`self-signed`: HTTPS with a certificate that is made once and kept in the data folder.",
    )
    plain_http: Public[bool] = Field(
        default=False,
        description="Speak HTTP also on addresses that others reach, because a proxy in front of the service does TLS.",
    )
    allowed_hosts: Public[Names] = Field(
        default=(),
        description="Further names that clients may use for this service, separated by commas: `name` (any port) or "
        "`name:port`.",
    )
    public_url: PublicUrl | None = Field(
        default=None, description="Address of the service for the world outside, if a proxy or a route gives it one."
    )
    trusted_proxies: Public[Names] = Field(
        default=(),
        description="Addresses and networks of proxies, separated by commas, that are believed what they say in "
        "Forwarded and X-Forwarded-Proto, -Host and -For.",
    )

    max_connections: Public[PositiveInt] = Field(
        default=2000,
        description="Most connections of clients; fewer where the system allows this process fewer open files. Beyond, "
        "the oldest without a request is closed.",
    )
    max_connections_per_address: Public[PositiveInt] = Field(
        default=1000, description="Most connections from one address; not for those of `trusted_proxies`."
    )
    head_timeout_s: Public[Seconds] = Field(
        default=20.0, description="Seconds within which the head of a request must have come."
    )
    body_timeout_s: Public[Seconds] = Field(
        default=30.0,
        description="Seconds within which the body of a request must have come, and one more for each 16 KiB of it.",
    )

    auth: Public[Literal["none", "tokens"]] = Field(
        default="none",
        description="Who may use the service. none: whoever reaches it, which must be this machine alone; tokens: who "
        "has a token.",
    )
    admin_token: SecretStr | None = Field(
        default=None,
        description="A token, made by `qdepot tokens generate`, that is valid from the next start on, with all rights; "
        "default: one is made, and printed, at the first start.",
    )
    admin_token_file: PublicPath | None = Field(
        default=None, description="Where the token of the first start is written, instead of being printed."
    )

    max_body_bytes: Public[PositiveInt] = Field(default=32 * 1024**2, description="Largest request in bytes.")
    max_body_values: Public[PositiveInt] = Field(
        default=2_000_000,
        description="Most values in a request: members of its arrays and objects, and the names of the latter.",
    )
    body_memory_bytes: Public[PositiveInt] = Field(
        default=128 * 1024**2,
        description="Bytes that all request bodies above 64 KiB may have together while the service works on them; "
        "beyond, it answers 429. Each takes up to four times its size of memory.",
    )
    max_circuits: Public[PositiveInt] = Field(default=10_000, description="Most circuits in a job.")
    max_total_shots: Public[PositiveInt] = Field(
        default=100_000_000, description="Most shots in a job, over all its circuits and parameter sets."
    )
    max_jobs_in_flight: Public[PositiveInt | None] = Field(
        default=None, description="Most jobs of a project that have not ended; default: any number."
    )
    requests_per_s: Public[PositiveFloat | None] = Field(
        default=None, description="Most requests of a project a second, in the mean; default: any number."
    )
    request_burst: Public[PositiveInt | None] = Field(
        default=None, description="How many of these requests may come at once; default: a second's worth."
    )
    projects: Public[dict[str, ProjectSettings]] = Field(
        default_factory=dict,
        description="Other limits of a project by its name: `max_body_bytes`, `max_body_values`, `max_circuits`, "
        "`max_total_shots`, `max_jobs_in_flight`, `requests_per_s`, `request_burst`. Names with capitals only in the "
        "file.",
    )
    check_budget_s: Public[Seconds] = Field(
        default=2.0, description="Seconds a caller waits for the check of the circuits; above, it is done later."
    )
    inline_result_bytes: Public[PositiveInt] = Field(
        default=64 * 1024, description="Largest result in bytes that is answered inside the job."
    )
    download_links_s: Public[Seconds | None] = Field(
        default=None,
        le=7 * 86_400,
        description="Seconds for which a signed link to a bundle in a cloud's store is valid, so that it does not pass "
        "through the service; default: no links are given.",
    )

    compute: Public[Literal["processes", "dask"]] = Field(
        default="processes",
        description="Where simulations run. processes: children of this service; dask: beside the workers of a Dask "
        "cluster.",
    )
    dask: DaskSettings = Field(default_factory=DaskSettings, description="How to reach the Dask cluster.")
    simulate: Public[bool] = Field(
        default=True,
        description="Offer the backends of the simulator Aer. Without it, jobs run at other providers alone.",
    )
    children: Public[PositiveInt | None] = Field(
        default=None,
        description="Simulations at a time; default: one a core. On a Dask cluster: one a thread of its workers.",
    )
    run_time_limit_s: Public[Seconds] = Field(default=3600.0, description="Longest simulation in seconds.")
    run_memory_bytes: Public[PositiveInt] = Field(
        default=8 * 1024**3, description="Memory in bytes that one simulation may use."
    )
    run_cpu_time_s: Public[Seconds | None] = Field(
        default=None,
        description="CPU time in seconds that one circuit, or some short ones in a row, may use, all threads together; "
        "default: what all processors can do within the time limit, and 10 s.",
    )
    child_open_files: Public[int] = Field(
        default=64, ge=16, le=1024, description="Files that one simulation or check may have open; it needs a dozen."
    )
    child_file_bytes: Public[NonNegativeInt] = Field(
        default=0,
        description="Largest file in bytes that one simulation or check may write, where the sandbox does not close "
        "files, behind which it writes none; 0: none but empty ones.",
    )
    check_time_limit_s: Public[Seconds] = Field(default=30.0, description="Longest check of a program in seconds.")
    check_memory_bytes: Public[PositiveInt] = Field(
        default=2 * 1024**3, description="Memory in bytes that one check may use."
    )
    sandbox: Public[Literal["best", "required", "off"]] = Field(
        default="best",
        description="Walls round work on circuits. best: all that this machine has, and a line in the log about what "
        "is missing; required: do not start unless files and system calls are closed; off: limits of time and memory "
        "alone.",
    )

    lease_s: Public[Seconds] = Field(
        default=15.0, description="Seconds after which the work of a process that died is taken up by another."
    )
    send_deadline_s: Public[Seconds] = Field(
        default=60.0,
        description="Seconds after which nothing of a submission that was cut off can still arrive at a backend; a job "
        "that is looked for by its tag is sent again no sooner.",
    )
    idle_interval_s: Public[Seconds] = Field(
        default=1.0, description="Seconds between looks for work that another process accepted."
    )
    log_level: Public[Literal["DEBUG", "INFO", "WARNING", "ERROR"]] = Field(
        default="INFO", description="DEBUG, INFO, WARNING or ERROR."
    )
    providers: dict[str, dict[str, Any]] = Field(
        default_factory=dict,
        repr=False,
        description="Settings of each provider by its name; an empty table uses its defaults.",
    )

    @classmethod
    def read(cls, **given: object) -> Settings:
        """The settings in force; ``given`` comes from the command line, None where it says nothing.

        Raises:
            InvalidRequestError: The file names a setting that is none, or a setting cannot have its value; the message
                names the setting and not the value.
        """
        try:
            return cls(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]
        except ValidationError as error:
            wrong = wrong_settings(error)
        except SettingsError as error:  # it names the setting, and not its value
            wrong = f"{error}: it is not JSON"
        except (TOMLDecodeError, UnicodeDecodeError, OSError) as error:
            wrong = f"qdepot.toml cannot be read ({_reason(error)})"
        raise InvalidRequestError(
            f"wrong settings: {wrong}",
            solution="Look at the command line, the variables QDEPOT_... and the file qdepot.toml.",
        )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Command line, then environment, then file; no .env files."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)
