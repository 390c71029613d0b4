"""The declarative base and the names that constraints get."""

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, PrimaryKeyConstraint, UniqueConstraint

from admin_app import models
from admin_app.db.base import Base

PREFIXES = {PrimaryKeyConstraint: "pk", UniqueConstraint: "uq", ForeignKeyConstraint: "fk", CheckConstraint: "ck"}


class TestBase:
    def test_every_constraint_has_a_name_that_says_its_kind_and_table(self) -> None:
        """Error messages find the field by this name, and migrations drop constraints by it."""
        for table in Base.metadata.tables.values():
            for constraint in table.constraints:
                prefix = PREFIXES[type(constraint)]
                assert str(constraint.name).startswith(f"{prefix}_{table.name}"), constraint

    def test_it_knows_every_table_of_the_desk(self) -> None:
        names = {model.__tablename__ for model in vars(models).values() if isinstance(model, type(Base))}
        assert names | {"ticket_tags"} == set(Base.metadata.tables)


class TestIdentified:
    def test_the_key_comes_first_in_every_table(self) -> None:
        for mapper in Base.registry.mappers:
            assert next(iter(mapper.local_table.columns)).name == "id", mapper
