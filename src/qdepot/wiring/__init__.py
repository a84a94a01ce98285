"""The only room that names concrete adapters: puts a process together from its settings."""

from qdepot.wiring.duties import build_duties, build_loop, build_one_pass, new_holder
from qdepot.wiring.limits import check_limits, project_limits
from qdepot.wiring.parts import Parts, build_parts, build_pool, load_providers
from qdepot.wiring.running import local_tokens, records, running_service, working_alone
from qdepot.wiring.service import build_app, build_doubts, build_health, build_jobs, build_rebuilding, package_version
from qdepot.wiring.stores import existing_data, ledger_url, open_archive

__all__ = [
    "Parts",
    "build_app",
    "build_doubts",
    "build_duties",
    "build_health",
    "build_jobs",
    "build_loop",
    "build_one_pass",
    "build_parts",
    "build_pool",
    "build_rebuilding",
    "check_limits",
    "existing_data",
    "ledger_url",
    "load_providers",
    "local_tokens",
    "new_holder",
    "open_archive",
    "package_version",
    "project_limits",
    "records",
    "running_service",
    "working_alone",
]
