"""The fixed cast: the same seven people in every test."""

from dataclasses import dataclass

from admin_app.actor import Actor
from admin_app.db.database import Database
from admin_app.models import User
from admin_app.permissions import Role

PEOPLE = {
    "sam": ("Sam Staff", Role.STAFF),
    "sid": ("Sid Staff", Role.STAFF),
    "sue": ("Sue Supervisor", Role.SUPERVISOR),
    "olaf": ("Olaf Ops", Role.OPS),
    "ada": ("Ada Admin", Role.ADMIN),
    "mallory": ("Mallory Customer", Role.CUSTOMER),
    "kim": ("Kim Customer", Role.CUSTOMER),
}


@dataclass(frozen=True)
class Cast:
    """Each person as the actor they are, and their ids by first name."""

    sam: Actor
    """staff"""
    sid: Actor
    """staff, Sam's colleague"""
    sue: Actor
    """supervisor"""
    olaf: Actor
    """ops"""
    ada: Actor
    """admin"""
    mallory: Actor
    """entitled to nothing"""
    kim: Actor
    """the customer who opens tickets"""
    users: dict[str, int]


async def store_cast(database: Database) -> Cast:
    """Create the seven and commit them."""
    rows = {
        first_name: User(email=f"{first_name}@desk.example", full_name=full_name, role=role)
        for first_name, (full_name, role) in PEOPLE.items()
    }

    async def add(session) -> None:
        session.add_all(rows.values())
        await session.flush()

    await database.run(add)
    actors = {name: Actor(id=row.id, name=row.full_name, role=row.role) for name, row in rows.items()}
    return Cast(**actors, users={name: row.id for name, row in rows.items()})
