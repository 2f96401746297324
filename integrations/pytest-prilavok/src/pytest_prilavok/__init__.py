"""Prilavok's sandbox in tests: the fixtures are in `plugin`, what they give in `sandbox`."""

from .sandbox import Business, Sandbox, SandboxError, Written

__all__ = ["Business", "Sandbox", "SandboxError", "Written"]
