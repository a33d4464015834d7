"""Invented people."""

_FIRST = (
    "Amy Ben Carla David Elena Farid Grace Hugo Ines Jonas Katja Liam Mei Nadia Olaf Priya Quentin Rosa Sven Tara Uwe "
    "Vera Wanda Xavier Yara Zoe Anton Bianca Cem Dora Emil Fatma Goran Hanna Igor Julia Kofi Lena Marco Nina Oscar "
    "Paula Ravi Sofia Tomas Ulla Viktor Wei Yusuf Zita"
)

_LAST = (
    "Adams Becker Costa Dubois Eriksen Fischer Garcia Haas Iyer Jansen Kowalski Lopez Meyer Nguyen Olsen Petrov Quinn "
    "Rossi Singh Tanaka Ulrich Vogel Weber Xu Yilmaz Zhang Ahmed Brown Chen Diaz Evans Fernandez Gupta Hansen Ivanov "
    "Jones Kim Larsen Moreau Novak OBrien Peters Rao Schmidt Taylor Urban Vance Walker Young Zimmer"
)

FIRST, LAST = _FIRST.split(), _LAST.split()


def name_of(number: int) -> tuple[str, str]:
    """First and last name of the nth person; `(First, Last)` pairs repeat after 2,500, then with a number."""
    first = FIRST[number % len(FIRST)]
    last = LAST[(number // len(FIRST) + number) % len(LAST)]
    again = number // (len(FIRST) * len(LAST))
    return first, f"{last}{again + 1}" if again else last


def upn_of(number: int, domain: str) -> str:
    """`amy.adams@domain`; unique by number."""
    first, last = name_of(number)
    return f"{first}.{last}@{domain}".lower()
