"""Who works at the demo desk, and names for its customers."""

from dataclasses import dataclass

from admin_app.permissions import Role


@dataclass(frozen=True)
class DeskPerson:
    """Somebody who signs in at the demo desk; the password is no secret."""

    full_name: str
    role: Role
    is_shown: bool = False

    @property
    def first_name(self) -> str:
        """As colleagues say it, in lower case."""
        return self.full_name.split()[0].lower()

    @property
    def email(self) -> str:
        """The address to sign in with."""
        return f"{self.first_name}@desk.example"

    @property
    def password(self) -> str:
        """The password to sign in with."""
        return f"{self.first_name}-at-the-desk"


DESK = (
    DeskPerson("Sam Rivera", Role.STAFF, is_shown=True),
    DeskPerson("Sid Novak", Role.STAFF, is_shown=True),
    DeskPerson("Sue Tanaka", Role.SUPERVISOR, is_shown=True),
    DeskPerson("Olaf Berg", Role.OPS, is_shown=True),
    DeskPerson("Ada Mensah", Role.ADMIN, is_shown=True),
    DeskPerson("Ines Duarte", Role.STAFF),
    DeskPerson("Tomasz Wilk", Role.STAFF),
    DeskPerson("Priya Nair", Role.STAFF),
    DeskPerson("Jonas Lind", Role.SUPERVISOR),
)

_FIRST_NAMES = (
    "Amara Ben Carla Dario Elena Farid Greta Hugo Imani Jakub Kaori Leila Marek Nadia Oscar Paula Quentin Rosa Selim "
    "Tilda Umar Vera Wim Xenia Yusuf Zoe Anton Bianca Cyril Dalia Emil Fiona Goran Hana Igor Joana Kofi Lena Milo Nuria"
)

_LAST_NAMES = (
    "Abbott Baptiste Castell Dorsey Eklund Fontaine Galloway Hartmann Ibrahim Jansen Kowalczyk Larkin Moreau Nakamura "
    "Okafor Petrov Quigley Rosales Salonen Thorne Ulrich Vasquez Whitlock Yamada Zielinski Aldana Bristow Calloway "
    "Draper Esposito Ferrante Grady Holloway Ivanova Jurgens Keller Lindqvist Marchetti Norwood Osei Pereira Quist "
    "Rasmussen Sandoval Tavares Underhill Vogel Westbrook Yilmaz Zapata"
)
FIRST_NAMES, LAST_NAMES = _FIRST_NAMES.split(), _LAST_NAMES.split()
INITIALS = "ABCDEFGHIJKLMNOPRSTUVWYZ"


def customer(number: int) -> tuple[str, str]:
    """Name and address of the customer with this number; neither repeats within the first two thousand."""
    first = FIRST_NAMES[number % len(FIRST_NAMES)]
    last = LAST_NAMES[(number * 7 + number // len(FIRST_NAMES)) % len(LAST_NAMES)]
    return f"{first} {last}", f"{first}.{last}@customer.example".lower()


def full_name(number: int) -> str:
    """A name for any number; with an initial once first and last names are used up."""
    name = customer(number)[0]
    round_of_names = number // (len(FIRST_NAMES) * len(LAST_NAMES))
    if not round_of_names:
        return name
    first, last = name.split()
    return f"{first} {INITIALS[(round_of_names - 1) % len(INITIALS)]}. {last}"
