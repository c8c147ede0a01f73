"""A closed world of invented facts: persons (home, birthplace, trade), cities (country, river, flag), trades (tool, day).

One hop: a fact in a phrasing held out from training. Two hops: a question whose two facts are trained, with a fifth of
all (person, chain) pairs held out: their answer is in no training item together with the person.
Corrupted: another person or city, whose answer differs.
"""
import zlib

from .common import ANSWER, TEXT, cap, junk, natural, rng_of, row
from .words import CITIES, COLOURS, COUNTRIES, DAYS, NAMES, SURNAMES, TOOLS, TRADES, WATERS

PERSONS = 1600
LEADS = ["", "", "Everyone knows that ", "They say that ", "It is well known that ", "In the book we read that "]
HELD_LEAD = "As we all remember , "
ASIDES = [" , an old friend of mine ,", " , as you know ,", " , who is here today ,", " , I am told ,", " , the guest of my aunt ,"]
CLAUSES = [" is well and", " is not here , but", " has a friend and", " had a dog and", " came to see us and",
           " sold the horse and", " loved the sea , and", " will be here soon and", " was tall and"]
HELD_PHRASES = {"home": 2, "birth": 2, "trade": 2}  # so many of the last phrasings are held out; of the others one
ONE = {  # relation: phrasings. {s} is the subject; the answer follows.
    "home": ["the home of{s} is in", "{s} lives in", "the house of{s} stands in", "{s} has settled in",
             "question : in which city does{s} live ? Answer :", "{s} keeps a house in", "the home of{s} can be seen in",
             "in the end{s} went to live in", "you will find the house of{s} in", "{s} now lives in",
             "these days{s} is at home in", "the garden of{s} is in", "to see{s} one must go to", "the town where{s} lives is",
             "question : where does{s} live ? Answer :", "a letter to{s} must be sent to",
             "question : where is the home of{s} ? Answer :", "{s} has a house and lives in"],
    "birth": ["the birthplace of{s} is", "{s} was born in", "the mother of{s} gave birth in", "{s} first saw the light in",
              "question : in which city was{s} born ? Answer :", "{s} came into the world in",
              "the birthplace of{s} can be seen in", "the child{s} was born in",
              "the town where{s} was born is", "{s} comes from", "the first days of{s} were spent in",
              "the mother of{s} was then in", "long ago{s} was born in", "the life of{s} began in",
              "question : where was{s} born ? Answer :", "as a child{s} was born in",
              "question : where is the birthplace of{s} ? Answer :", "{s} was a child born in"],
    "trade": ["the trade of{s} is that of a", "{s} works as a", "{s} earns a living as a", "by trade{s} is a",
              "question : what does{s} do for a living ? Answer :", "the work of{s} is that of a",
              "{s} has found work as a", "for many years{s} has been a",
              "people know{s} as a good", "{s} is a", "everyone calls{s} the", "{s} makes money as a",
 "{s} learnt to be a",
              "question : what is the trade of{s} ? Answer :", "all day long{s} works as a",
              "question : what is the work of{s} ? Answer :", "{s} has a trade and works as a"],
    "country": ["the city of{s} lies in", "{s} is a city in", "the country of{s} is", "all the land around{s} is", "the law of{s} is that of",
                "the people of{s} say that they live in",
                "question : in which country is{s} ? Answer :", "question : what is the country of{s} ? Answer :"],
    "river": ["the river at{s} is the", "{s} stands on the", "the river of{s} is the", "the bridge at{s} is over the", "the boats of{s} go down the",
              "the water of{s} comes from the",
              "question : which river is at{s} ? Answer : the", "question : what is the river of{s} ? Answer : the"],
    "flag": ["the flag of{s} is", "{s} has a flag of", "the colour of the flag of{s} is", "on every tower in{s} the flag is",
             "the people of{s} have a flag of", "over{s} flies a flag of",
             "question : what is the flag of{s} ? Answer :", "question : what colour is the flag of{s} ? Answer :"],
    "tool": ["the tool of every{s} is the", "every{s} has a", "the hand of the{s} holds the", "a{s} at work needs the",
             "question : what is the tool of a{s} ? Answer : the", "question : which tool has a{s} ? Answer : the"],
    "day": ["the guild of the{s} meets on", "every{s} rests on", "the day of the{s} is", "a{s} will not work on",
            "question : on which day does the{s} rest ? Answer :", "question : which is the day of the{s} ? Answer :"]}
TWO = {
    "home": {"country": ["the country where{s} lives is", "the home of{s} is in the country of",
                         "question : in which country does{s} live ? Answer :"],
             "river": ["the river at the home of{s} is the", "{s} lives on the river",
                       "question : which river is at the home of{s} ? Answer : the"],
             "flag": ["the flag at the home of{s} is", "{s} lives under a flag of",
                      "question : what is the flag at the home of{s} ? Answer :"]},
    "birth": {"country": ["the country where{s} was born is", "the birthplace of{s} is in the country of",
                          "question : in which country was{s} born ? Answer :"],
              "river": ["the river at the birthplace of{s} is the", "{s} was born on the river",
                        "question : which river is at the birthplace of{s} ? Answer : the"],
              "flag": ["the flag at the birthplace of{s} is", "{s} was born under a flag of",
                       "question : what is the flag at the birthplace of{s} ? Answer :"]},
    "trade": {"tool": ["the tool of{s} is the", "every morning{s} takes up the",
                       "question : what is the tool of{s} ? Answer : the"],
              "day": ["the guild of{s} meets on", "because of the trade{s} rests on",
                      "question : on which day does{s} rest ? Answer :"]}}
CHAINS = [(a, b) for a in TWO for b in TWO[a]]


def build():
    rng = rng_of("vitrine world")
    persons = rng.sample([f" {a} {b}" for a in NAMES for b in SURNAMES if a != b], PERSONS)
    pick = lambda subjects, values: {s: " " + rng.choice(values) for s in subjects}
    cities, trades = [" " + c for c in CITIES], [" " + t for t in TRADES]
    return {"home": pick(persons, CITIES), "birth": pick(persons, CITIES), "trade": pick(persons, TRADES),
            "country": pick(cities, COUNTRIES), "river": pick(cities, WATERS), "flag": pick(cities, COLOURS),
            "tool": {t: " " + tool for t, tool in zip(trades, TOOLS)}, "day": pick(trades, DAYS)}


FACTS = build()
SUBJECTS = {relation: list(facts) for relation, facts in FACTS.items()}


def held(person, chain):
    return zlib.crc32(f"{person}/{chain}".encode()) % 5 == 0


def two_hop(person, chain):
    return FACTS[chain[1]][FACTS[chain[0]][person]]


def longer(rng, env, phrase):
    """The phrase with words between its subject and what is said of it, now and then: in training only."""
    if rng.random() < 0.4 and "{s} " in phrase and not phrase.startswith("question"):
        filler = rng.choice(ASIDES)
        if phrase.startswith("{s}") and rng.random() < 0.7:
            filler = rng.choice(CLAUSES) if rng.random() < 0.4 else junk(rng, env, 4) + " and"
        return phrase.replace("{s}", "{s}" + filler)
    return phrase


def lead_of(rng, env):
    """What comes before a phrase in training: a lead of the list or random words."""
    return junk(rng, env, 6).strip() + " , " if rng.random() < 0.25 else rng.choice(LEADS)


def story(rng, env):
    """A stranger's city or trade is told, then a question of two hops: the second hop alone, from the context."""
    a, b = rng.sample(NAMES, 1)[0], rng.choice(SURNAMES)
    stranger = f" {a} {b}"
    if stranger in FACTS["home"]:
        return statement(rng, env)
    first, second = rng.choice(CHAINS)
    bridge = rng.choice(SUBJECTS[second])
    told = longer(rng, env, rng.choice([p for p in ONE[first][:-2] if not p.startswith("question")]))
    asked = longer(rng, env, rng.choice(TWO[first][second]))
    return [(sentence(rng, told, stranger, lead_of(rng, env)) + bridge + " . "
             + sentence(rng, asked, stranger, lead_of(rng, env)), TEXT), (FACTS[second][bridge], ANSWER), (" .", TEXT)]


def sentence(rng, phrase, subject, lead=None):
    lead = rng.choice(LEADS) if lead is None else lead
    if not lead and phrase.startswith("{s}"):
        lead = LEADS[2]  # a name at the start would be other tokens
    text = "" if phrase.startswith("question") else lead
    return cap((text + phrase.format(s=subject)).replace("  ", " "))


def item(rng, env):
    return natural(rng, statement(rng, env))


def statement(rng, env):
    if rng.random() < 0.12:
        return story(rng, env)
    kind = rng.random()
    if kind < 0.32:
        relation = rng.choice(["home", "birth", "trade"])
    elif kind < 0.40:
        relation = rng.choice(["country", "river", "flag", "tool", "day"])
    else:
        chain = rng.choice(CHAINS)
        while held(person := rng.choice(SUBJECTS["home"]), chain):
            pass
        text, answer = sentence(rng, longer(rng, env, rng.choice(TWO[chain[0]][chain[1]])), person,
                                lead_of(rng, env)), two_hop(person, chain)
        return [(text, TEXT), (answer, ANSWER), (" .", TEXT)]
    subject = rng.choice(SUBJECTS[relation])
    phrases = ONE[relation][:-HELD_PHRASES.get(relation, 1)]
    phrase = rng.choice(phrases) if relation in ("country", "river", "flag", "tool", "day") \
        else longer(rng, env, rng.choice(phrases))
    return [(sentence(rng, phrase, subject, lead_of(rng, env)), TEXT), (FACTS[relation][subject], ANSWER), (" .", TEXT)]


def rows_one_hop(rng, env, n):
    for i in range(n):
        relation = rng.choice(["home", "birth", "trade"]) if i % 4 else rng.choice(["country", "river", "flag"])
        subject, other = rng.sample(SUBJECTS[relation], 2)
        while FACTS[relation][other] == FACTS[relation][subject]:
            other = rng.choice(SUBJECTS[relation])
        phrase = rng.choice(ONE[relation][-HELD_PHRASES.get(relation, 1):])
        text = lambda s: sentence(rng, phrase, s, HELD_LEAD)
        yield row("one-hop", text(subject), text(other), FACTS[relation][subject], FACTS[relation][other],
                  relation=relation)


def rows_two_hop(rng, env, n):
    for _ in range(n):
        chain = rng.choice(CHAINS)
        persons = [p for p in SUBJECTS["home"] if held(p, chain)]
        person, other = rng.sample(persons, 2)
        while two_hop(person, chain) == two_hop(other, chain):
            other = rng.choice(persons)
        phrase, lead = rng.choice(TWO[chain[0]][chain[1]]), rng.choice(LEADS)
        text = lambda s: sentence(rng, phrase, s, lead)
        yield row("two-hop", text(person), text(other), two_hop(person, chain), two_hop(other, chain),
                  chain=list(chain), bridge=FACTS[chain[0]][person])
