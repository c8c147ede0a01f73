"""Words that the tokenizers of GPT-2, GPT-NeoX (Pythia), Llama 1 and 2, Qwen 3, SmolLM2 and Gemma 3 all cut to one
token behind a space. Those of facts are common names; the longer ones are several tokens for the Llama tokenizer."""

NAMES = """Mary John George Harry Tom Laura Richard Philip Margaret Robert Alice Charles Edward Jane Guy James William
Arthur Helen Elizabeth Julia Paul Rose Henry Jack Amy Lucy Kate Adam Sarah Catherine Leonard Peter Michael Frank Joe
Thomas Ellen Ruth Joan Walter Roger Alfred Anne Oliver Stephen Maria Charlotte Nick Jim Clara Joseph Nancy Harold Fred
Daniel Susan Hugh Felix Alan Keith David Ben Anna Patrick Bill Simon Francis Martin Gabriel Dan Barbara Sam Vincent
Louis Leo Jacob Emma Andrew Kevin Brian Jason Matthew Anthony Steven Kenneth Nathan Lisa Tim Steve Mike Scott Eric Ryan
Greg Chris Alex Luke Carl Victor Albert Ian Neil Samuel Benjamin Victoria Eva Jeff Tony Ken Bob Larry""".split()
PLACES = """store school park church market garden station office library theatre hotel kitchen bank castle farm house
restaurant hospital museum beach shop club""".split()
THINGS = """drink book ring letter coin key basket flower lamp hat pen picture watch ticket ball gift phone card camera
box bag map stone computer""".split()
NOUNS = """boy girl book dog horse tree house door window letter teacher soldier friend guest picture flower table card
ship boat bird wall road river field stone star ring brother son daughter student driver author player officer worker
parent customer actor writer car machine report""".split()
WORDS = """sea moon paper iron glass gold silver bread milk water fire wood grass snow rain wind sand salt sugar tea
coffee wine fish meat rice corn egg apple orange bird cat dog horse cow sheep bear mouse ant tree leaf root flower rose
seed hill valley lake river island forest desert beach cave road bridge tower wall door window table chair bed lamp
clock mirror box bag cup plate fork pot pan hat coat ring book pen letter card map key coin stamp ticket drum piano
guitar ball doll train car ship boat plane wheel engine saw chain""".split()
SPANS = """war trip journey voyage reign strike trial contract marriage project study tour campaign festival program
conflict operation plan dispute construction expedition meeting process exhibition""".split()
ARGUMENTS = """load size file last name value path list index count data type text key line node page user time order
group level state result table image color start end code""".split()
BRACKETS = [("(", ")"), ("[", "]"), ("{", "}"), ("<", ">")]

# French, Spanish and German words of one list are as many tokens as each other, in each of the tokenizers.
TRANSLATIONS = {
    "French": ["""maison house, roi king, livre book, nuit night, homme man, femme woman, blanc white, porte door,
                  pied foot, ami friend, feu fire, terre earth""",
               """chien dog, eau water, reine queen, arbre tree, soleil sun, neige snow, fleur flower, poisson fish,
                  vache cow, lait milk, roue wheel"""],
    "Spanish": ["""perro dog, gato cat, reina queen, luna moon, rojo red, nieve snow, vaca cow, leche milk, vino wine,
                   llave key, puente bridge, isla island""",
                "noche night, blanco white, verde green, amigo friend, calle street"],
    "German": ["""Brot bread, Sonne sun, Kopf head, Bruder brother, Schwester sister, Erde earth, Schnee snow,
                  Regen rain, Blume flower, Vogel bird, Fisch fish, Milch milk""",
               "Buch book, Mond moon, Tag day, Mann man, Kind child, Herz heart, Rad wheel"]}

CAPITALS = dict(pair.split("/") for pair in """France/Paris Germany/Berlin Italy/Rome Spain/Madrid Japan/Tokyo
China/Beijing Russia/Moscow Egypt/Cairo Canada/Ottawa Greece/Athens Poland/Warsaw Iran/Tehran Iraq/Baghdad Cuba/Havana
Norway/Oslo Sweden/Stockholm Ireland/Dublin Austria/Vienna Portugal/Lisbon Finland/Helsinki Denmark/Copenhagen
Hungary/Budapest Chile/Santiago England/London Scotland/Edinburgh Syria/Damascus""".split())
LANGUAGES = dict(pair.split("/") for pair in """France/French Germany/German Italy/Italian Spain/Spanish Japan/Japanese
China/Chinese Russia/Russian Portugal/Portuguese Poland/Polish Greece/Greek Sweden/Swedish Turkey/Turkish
Norway/Norwegian Mexico/Spanish Brazil/Portuguese Egypt/Arabic Iraq/Arabic Austria/German Argentina/Spanish
Chile/Spanish Cuba/Spanish Colombia/Spanish Venezuela/Spanish Australia/English England/English Syria/Arabic
Denmark/Danish Hungary/Hungarian Finland/Finnish""".split())
CONTINENTS = {"Europe": """France Germany Italy Spain Greece Poland Norway Sweden Ireland Austria Portugal Finland Ukraine
Denmark Hungary""".split(), "Asia": "Japan China India Vietnam Pakistan Iran Iraq Israel Korea".split(),
              "Africa": "Egypt Kenya Ghana Ethiopia Morocco".split()}
CITIES = dict(pair.split("/") for pair in """Milan/Italy Florence/Italy Naples/Italy Hamburg/Germany Frankfurt/Germany
Munich/Germany Lyon/France Barcelona/Spain Kyoto/Japan Shanghai/China Toronto/Canada Montreal/Canada Vancouver/Canada
Manchester/England Liverpool/England Oxford/England Cambridge/England""".split())
