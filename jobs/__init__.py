"""Jobs: thin tasks over the engine, run by workers; ``PROCRASTINATE_APP=jobs.app`` names the app."""

from jobs.application import Application

__all__ = ["app"]

app = Application(import_paths=["jobs.fortnite", "jobs.search", "jobs.maintenance"])
