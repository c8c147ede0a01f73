"""The words of the tasks. Every word of REQUIRED is one token (with its leading space) by construction."""

NAMES = """Mary John George Harry Tom Laura Richard Philip Margaret Robert Alice Molly Dick Charles Edward Jane
Rachel Ethel Sylvia Guy James Florence William Arthur Helen Elizabeth Julia Paul Rose Henry Jack Amy Lucy Kate
Kitty Adam Norman Sarah Catherine Leonard Agnes Peter Michael Flora Esther Marian Frank Joe Thomas Ellen Caroline
Ruth Fanny Joan Martha Walter Roger Cynthia Alfred Anne Amelia Oliver Stephen Maria Dorothea Clare Charlotte Jasper
Rupert Ursula Edith Grace Harriet Jude Tess Nick Gerald Lorna Annie Jim Clara Graham Blanche Joseph Hilary Violet
Nancy Harold Cecil Lionel Fred Lily Janet Sara Becky Daniel Ralph Susan Hugh Felix Hans Milly Herbert Sue Sally
Gilbert Rebecca Bessie Alan Bertha Keith Dinah David Ben Emily Colin Cyril Anna Patrick Bill Monica Hester Gerard
Eleanor Hugo Chloe Francis Mark Martin Robin Gabriel Ada Dan Barbara Sam Maud Vincent Ida Louisa Joshua Charlie
Louis Daphne Julian Percy Polly Adrian Helena Gertrude Miriam Laurence Rhoda Nina Leo Jacob Emma Solomon
Gregory""".split()
SURNAMES = """Stone Hill Marsh Brook Wood Lane Field Park Ward Wells Banks Bird Bishop Black Brown Carter Cook Cross
Day Dean Fisher Fox Frost Gray Green Hall Hart Hunt Knight Lake Lamb Little Long May Moon Moore North Page Pond
Reed Rivers Rose Sharp Shepherd Silver Snow Steel Summer Swan Taylor Walker Waters West White Winter Wolf Wright
York Young""".split()
CITIES = """Orvale Tarnby Kelford Dunmere Ashwick Belmont Corwick Delham Elmstead Farleigh Glenford Harwick Ilford
Jarwick Kenmere Lanford Mordale Norham Oldwick Penford Quorn Rosdale Sanwick Thornby Ulford Vandale Walmere Yarwick
Arnmere Brandale Colby Darnford Eswick Felham Garmere Holdale Inwick Kirham Larkby Melford Newick Ormby Parmere
Rendale Selby Torham Wendale Wisby""".split()
COUNTRIES = "Tessany Borland Calmark Drovia Estmark Fenmark Galdor Hestany Ilvany Jorvia Kestria Lomar".split()
WATERS = "Aldon Brennet Corve Dunnel Elver Farron Gannel Hollin Isker Jarrel Kenner Lorne".split()
COLOURS = "red blue green white black gold silver grey brown purple".split()
TRADES = """baker smith tailor weaver mason fisher farmer barber painter miller doctor lawyer printer carpenter gardener
soldier sailor shepherd teacher brewer cook hunter clerk potter""".split()
TOOLS = """oven hammer needle loom chisel net plough razor brush wheel knife book press saw spade
sword rope staff chalk barrel kettle bow pen clay""".split()
DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()

NOUNS = """boy girl king queen key book dog horse lord tree house door window letter teacher doctor soldier
sailor farmer painter friend guest picture bottle flower garden table chair clock card ship boat bird cat rat wall
tower road river field stone star lamp hat ring coin apple cake sister brother son daughter cousin uncle
servant nurse student neighbour driver""".split()
# In training only; not every plural is one token.
MORE_NOUNS = """arm ear eye face hand leg minute moment month day week year hour person room shoulder spirit step thing
thought word way cloud shop school park market station office hotel harbour kitchen bank castle farm ticket
watch basket drink pen bridge street village town hill mountain forest island lake train carriage cart wagon
wheel engine candle curtain carpet cushion mirror drawer cupboard bed pillow blanket coat shirt boot glove
button pocket belt jewel crown sword gun drum flag banner paper pencil page song poem play dance game prize
judge captain general colonel officer prisoner prince maid cook gardener hunter singer dancer actor writer
worker merchant stranger traveller visitor widow bachelor rival lover parent lad cow pig goat lamb duck
chicken eagle crow snake bear lion tiger insect spider bee root nail rope chain hammer tool spoon plate bowl
pot pan cup bag trunk parcel gift toy roof ceiling floor stair cellar gate path lane corner square yard
fountain statue monument tomb bone skull crime lie rumour plan dream fear hope doubt reason cause law rule
custom habit idea opinion answer question problem mistake mark line circle number sum debt loan bill rent wage""".split()
IRREGULAR = [("man", "men"), ("woman", "women"), ("child", "children"), ("wife", "wives"), ("lady", "ladies"),
             ("story", "stories"), ("city", "cities"), ("foot", "feet"), ("mouse", "mice"), ("body", "bodies")]
MORE_VERBS = [("does", "do"), ("goes", "go"), ("comes", "come"), ("seems", "seem"), ("looks", "look"),
              ("means", "mean"), ("matters", "matter"), ("makes", "make")]
VERBS = [("is", "are"), ("was", "were"), ("has", "have")]
PLACES = """store school park church market garden station office library theatre hotel harbour kitchen bank castle
farm""".split()
THINGS = """drink book ring letter coin key basket flower cake lamp hat pen picture bottle watch ticket""".split()
SPANS = """war trip journey voyage reign siege strike trial feast drought famine truce plague contract marriage
project study tour tenure quarrel""".split()
CENTURIES = [11, 12, 13, 14, 15, 16, 17, 18, 19]
BRACKETS = [("(", ")"), ("[", "]"), ("{", "}"), ("<", ">")]


def plural(noun):
    return noun + "s"


REQUIRED = sorted(
    {" " + w for w in [*NAMES, *SURNAMES, *CITIES, *COUNTRIES, *WATERS, *COLOURS, *TRADES, *TOOLS, *DAYS, *NOUNS]}
    | {" " + plural(n) for n in NOUNS}
    | {" " + v for pair in VERBS for v in pair}
    | {" " + b for pair in BRACKETS for b in pair}
    | {f" {c}" for c in CENTURIES}
    | {f"{i:02d}" for i in range(100)})
