"""What programs and projects may use up."""

from __future__ import annotations

from dataclasses import fields, replace

from qdepot.archive.layout import checked_project
from qdepot.config import Settings
from qdepot.ports.compute_pool import Limits
from qdepot.services.orders import ProjectLimits, SubmitLimits


def project_limits(settings: Settings) -> ProjectLimits:
    """What the service accepts of each project."""
    names = {field.name for field in fields(SubmitLimits)}
    usual = SubmitLimits(**settings.model_dump(include=names))
    special = {
        checked_project(name): replace(usual, **project.model_dump(exclude_none=True))
        for name, project in settings.projects.items()
    }
    return ProjectLimits(usual=usual, special=special)


def check_limits(settings: Settings) -> Limits:
    """What one check may use up."""
    return Limits(
        time_s=settings.check_time_limit_s,
        memory_bytes=settings.check_memory_bytes,
        file_bytes=settings.child_file_bytes,
        open_files=settings.child_open_files,
    )


def run_limits(settings: Settings) -> Limits:
    """What one simulation may use up, on backends without limits of their own."""
    return Limits(
        time_s=settings.run_time_limit_s,
        memory_bytes=settings.run_memory_bytes,
        cpu_time_s=settings.run_cpu_time_s,
        file_bytes=settings.child_file_bytes,
        open_files=settings.child_open_files,
    )
