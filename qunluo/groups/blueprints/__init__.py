"""Blueprints: what the common kinds of group are for, and all it takes to start one.

One TOML file each, in both languages; a new file is a new blueprint. `reading` says what a file
holds and refuses what doesn't fit.
"""

from __future__ import annotations

from qunluo.groups.blueprints.reading import Blueprint, find_blueprint, list_blueprints

__all__ = ["Blueprint", "find_blueprint", "list_blueprints"]
