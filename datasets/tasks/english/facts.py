"""Facts about countries and cities that models of English learn: of one hop and of two, where the entity between (the
bridge) is not named. Corrupted: another subject, whose answer differs. [Meng et al. 2022; Yang et al. 2024]"""
from ..common import row
from .words import CAPITALS, CITIES, CONTINENTS, LANGUAGES

CONTINENT_OF = {country: name for name, countries in CONTINENTS.items() for country in countries}
COUNTRY_OF = {capital: country for country, capital in CAPITALS.items()}

ONE = {"capital": (CAPITALS, ["The capital of {s} is", "The capital of {s} is the city of"]),
       "country": (COUNTRY_OF, ["The city of {s} is the capital of", "Question: of which country is {s} the capital? Answer:"]),
       "language": (LANGUAGES, ["In {s}, most people speak", "The official language of {s} is"]),
       "continent": (CONTINENT_OF, ["On the map, {s} lies on the continent of", "The country of {s} is on the continent of"]),
       "city": (CITIES, ["The city of {s} lies in the country of", "Question: in which country is {s}? Answer:"])}


def spoken_in_one():
    """language: country, of languages that one country alone has."""
    countries = {}
    for country, language in LANGUAGES.items():
        countries.setdefault(language, []).append(country)
    return {language: found[0] for language, found in countries.items() if len(found) == 1}


# name: (bridge of a subject, answer of a bridge, phrasings)
TWO = {"capital-language": (COUNTRY_OF, LANGUAGES, ["In the country whose capital is {s}, most people speak",
                                                    "The official language of the country whose capital is {s} is"]),
       "capital-continent": (COUNTRY_OF, CONTINENT_OF, ["The country whose capital is {s} lies on the continent of"]),
       "language-capital": (spoken_in_one(), CAPITALS, ["The capital of the country where people speak {s} is",
                                                        "Where most people speak {s}, the capital is the city of"]),
       "city-capital": (CITIES, CAPITALS, ["The city of {s} lies in a country whose capital is",
                                           "The capital of the country where {s} lies is the city of"]),
       "city-language": (CITIES, LANGUAGES, ["In the country where {s} lies, most people speak"])}


def pair(rng, answers):
    """Two subjects whose answers differ."""
    while True:
        one, other = rng.sample(sorted(answers), 2)
        if answers[one] != answers[other]:
            return one, other


def rows_one_hop(rng, n):
    names = list(ONE)
    for i in range(n):
        relation = names[i % len(names)]
        answers, phrasings = ONE[relation]
        one, other = pair(rng, answers)
        phrase = rng.choice(phrasings)
        yield row("one-hop", phrase.format(s=one), phrase.format(s=other), " " + answers[one], " " + answers[other],
                  relation=relation)


def rows_two_hop(rng, n):
    names = list(TWO)
    for i in range(n):
        chain = names[i % len(names)]
        bridges, second, phrasings = TWO[chain]
        answers = {subject: second[bridge] for subject, bridge in bridges.items() if bridge in second}
        one, other = pair(rng, answers)
        phrase = rng.choice(phrasings)
        yield row("two-hop", phrase.format(s=one), phrase.format(s=other), " " + answers[one], " " + answers[other],
                  chain=chain, bridge=bridges[one])
