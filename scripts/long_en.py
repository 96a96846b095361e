"""English sentences and the small worlds that fill them; see make_long.py."""

import datetime

GRAMMAR = {
    # ---- people and places
    "surname": "Abney Barlow Castell Dunmore Ekwall Farrow Gilchrist Hadley Ingram Jessop Kinnear Lomax Merrick Norwood Oakes Pargeter Quill Rensford Salter Thorne Upjohn Vance Wexley Yardley Ashdown Birkett Calloway Draper Ellery Fenwick Goodall Hartnell Isley Kemble Lathrop Marlow Nettleton Orchard Penrose Rudge Stainer Tansley Vickers Whitlow".split(),
    "first": "Agnes Bertram Clara Desmond Edith Fergus Greta Hugo Iris Jonah Kitty Lionel Maud Nils Olive Piers Rosa Silas Tilda Victor Winnie Anselm Brigid Cyril Dora Ewan Flora Gideon".split(),
    "village": "Ambleford,Barrow End,Cawling,Dunsley Lock,Easterby,Farholme,Gressing,Hallow Bridge,Inglethorpe,Kettlesing,Lower Marden,Mossgate,Nether Wold,Oxenhope Weir,Pennyfield,Quarry Bank,Rushbrook,Saltersgate,Thornwick,Upper Slake,Winterbeck,Yarrow Cross,Aldersey,Brackenthwaite,Coldharbour,Dovecote Lane,Elmscott,Foxmoor,Grindle Top,Hexley,Ivelchurch,Kirkstead,Longstone,Merrow,Netherby,Old Basin,Pinchbeck,Ravensworth,Skelwith,Tanners Row,Uffing,Wharfe Head".split(","),
    "trade": "thatcher,bell-hanger,lock-keeper,beekeeper,piano tuner,saddler,ferryman,hedge-layer,glass blower,postmistress,sheep shearer,dry-stone waller,clockmaker,cheesemaker,boat painter,vet,sign-writer,miller,weaver,signalman".split(","),
    "goods": "damson jam,smoked eel,oatcakes,blue cheese,heather honey,pickled walnuts,wool socks,seed potatoes,candle ends,lamp oil,dried apples,black pudding,bootlaces,goose eggs,gingerbread,cider,tarred rope,second-hand maps,willow baskets,paraffin".split(","),
    # ---- travel
    "sky": [
        "Mist lay on the water until nearly {9..11}, and the far bank was a rumour", "It rained before dawn and every gate dripped", "A hard blue morning with the wind behind me for once",
        "Clouds came over in rows, like washing", "The heat was up by breakfast and the tar went soft", "Thunder walked about behind the hills all afternoon without coming down",
        "Drizzle, the sort that does not wet the map but ruins the temper", "Dew on the saddle, gone by the first bridge", "A white sky, no shadows, distances impossible to judge",
        "The wind turned at noon and took {2..6} miles off my day", "Sun and hail by turns, {3..7} times before lunch", "Still air, smoke standing straight up from every chimney", "The light was so low that even the nettles looked gilded",
    ],
    "road": [
        "The towpath was closed below {village} and the detour cost me {2..7} miles and a bad temper", "I pushed the bicycle up {40..190} steps beside the locks, counting aloud", "A plank bridge had lost {2..5} of its planks, so I carried the panniers over one by one",
        "From {village} onward the surface was cinders, kind to the tyres and unkind to the lungs", "A farmer let me through his yard and closed {3..6} gates behind me", "The chain came off {2..4} times on the cobbles", "There is a tunnel of {300..1400} yards here, and I walked it with a lamp, one hand on the wet wall",
        "I took the wrong arm of the canal and found out only when the milestones began to count upward", "A swing bridge stood open for {15..55} minutes while {2..5} barges argued about precedence", "The path had slid into the cutting and somebody had marked a way round with blue rags",
        "Downhill at last, {2..5} miles of it, with the brakes singing", "The signpost gave {3..17} miles to {village}; the next one, a mile later, gave one more", "Roadmen were laying drain and made me a causeway out of {6..14} sleepers", "I lost half an hour to a puncture, a flint the size of a fingernail",
    ],
    "stranger": [
        "At {village} the {trade}, a {surname} by name, told me that {4..9} generations had done the same work and that the next would drive a van", "Two children on one pony kept level with me for a mile and asked whether {village} was abroad", "A {trade} shared my bench and talked of the flood of 19{20..58}, when the water stood {2..7} feet deep in the chapel",
        "Old Mrs {surname} was selling {goods} from a pram and would take no more than {1..4} shillings", "I helped a {trade} called {first} lift a crate of {goods} and was paid in gossip", "The {trade} of {village} keeps {11..60} clocks, none of them going, and can say where each one stopped",
        "A man named {surname} was walking the other way with a goat; they had come {20..90} miles and the goat was for his daughter", "In the reading room a Mr {surname} was copying out the parish register by hand, page {40..310} that morning", "{first}, the ferryman's niece, rowed me over and would not let me touch the oars: {8..25} minutes against the stream",
        "A retired {trade} showed me his collection of {50..400} keys and asked me to guess which one opens nothing", "Outside {village} a surveyor called {surname} was measuring a field that both neighbours say is {2..9} yards too short", "The {trade} would not speak before he had finished his pipe, and then spoke for {30..80} minutes about eels",
        "A wedding party overtook me in {2..5} carts and threw me a slice of cake, which I caught",
    ],
    "meal": [
        "Dinner was {goods} and bread under a railway arch", "I ate at the sign of the {first} and {surname}, where the pie had more crust than argument", "Bought {2..6} of somebody's rolls and a screw of tea for {2..9} pence", "The landlady gave me soup without asking and charged me {1..4} shillings without blushing",
        "Lunch: {goods}, an onion, the last of the chocolate", "In {village} they fry a flat fish in oatmeal, and I had it twice", "A farm kitchen, {7..13} people at the table and nobody who passed the salt", "I traded a spare inner tube for a bag of {goods}", "Tea from a flask on the lock beam, too hot, and a wasp in it",
    ],
    "bed": [
        "Slept in the loft over the {trade}'s shop, among {goods}", "A room at {village} with a view of a wall, {4..12} shillings, hot water by arrangement", "The schoolmaster, a {surname}, let me have the gymnasium; I slept on {3..6} mats and woke on none", "Pitched the tent behind the pumping station and heard it breathe all night",
        "A cabin on a moored barge, rocking a little each time somebody else turned over", "The inn was full of {trade}s at their annual dinner, so I had the hayloft", "Bed by {8..10} under a picture of a ship that I have seen in {2..5} other houses", "The widow {surname} gave me her son's room; his school prizes are still on the shelf, {2..7} of them",
    ],
    "thought": [
        "A canal is a road that has been told to be patient", "One remembers the hills and forgets the flats, although the flats are where the miles are", "I have begun to nod to herons", "Every village says that the next one is dull, and every village is right about itself", "My handwriting is worse on the days when I have seen more",
        "The map shows everything except the smell of tanneries", "It occurs to me that nobody has asked me my name since {village}", "Today weighed more than it measured", "The bicycle has acquired a noise that I have decided to call company", "I used to count bridges; now I count the people who lean on them",
    ],
    # ---- letters
    "greet": ["Your letter came on Tuesday and I read it standing in the hall.", "Forgive the pencil, the ink has dried up.", "It took your letter {4..12} days to get here, and it looks as if it had walked.", "I write this with the cat on the other half of the table.", "You ask for news, so here is what there is.", "Rain since Sunday, so there is time for a proper answer.", "The parcel arrived with one corner wet, but nothing in it minded."],
    "home": [
        "The pear tree gave {14..60} pounds, most of them in one night of wind.", "Mr {surname} has mended the kitchen roof at last; he wanted {9..30} pounds and took {5..8} because of the pears.", "The hens are down to {4..11}, a fox I think, though {first} next door blames the {trade}.", "Father's desk has gone to the sale room, and in the back of a drawer they found {3..9} unposted letters, none of them interesting.",
        "We had the chimney swept and {2..4} jackdaws' nests came down, with somebody's spectacles.", "The new people at the corner, {surname}s, have painted everything green, including the boot scraper.", "The cellar flooded to the {2..4}th step and went down again by itself, leaving a toad.", "I sold the piano to the {trade}'s wife for {12..40} pounds and miss it more than I played it.",
        "{first} has had measles and read {5..14} books, and is cross at being well.", "There is a new clock on the town hall which strikes {2..5} minutes before the church, so we now have time to change our minds.", "The gate you painted has been painted again; underneath I found your initials, and left a hole for them.", "We dug the beds by the wall and turned up a clay pipe, {2..6} marbles and the lid of the blue teapot.",
        "The wireless hums, and a Mr {surname} comes on Thursdays to make it hum differently.", "Aunt {first} stayed {6..20} days and rearranged the larder by colour.", "The apple store smells as it did when we hid in it; I counted {3..8} trays of russets.", "A drain has been laid across the lane, {30..90} yards, and the post now comes by way of {village}.",
        "The quince refused to set, so there will be no jelly, and you may stop pretending to like it.", "Someone has left us a bicycle with a note that says only \"from {first}, with thanks\", and we know {2..5} people of that name.",
    ],
    "work": [
        "At the office they have moved me to the second floor, where the {surname} accounts are kept, and I have {2..4} windows.", "The school has {31..58} in the lower form this year and one stove.", "I was asked to index the whole of volume {3..12}, which is {300..700} pages of other people's fish.", "My wages go up by {2..9} shillings from the new year, and my hours by rather more.",
        "The printer at {village} has made our catalogue with every {trade} spelt wrong.", "We lost the {surname} order and got a bigger one from {village} the same afternoon.", "The new manager wears felt shoes, so that one never knows.", "I passed the examination, {4..19}th of {40..90}, which is neither here nor there, but it is passed.",
        "Our {trade} has retired and the shop is oddly quiet without his coughing.", "They want me to go to {village} for {2..6} weeks and open the branch; I have said yes before thinking.", "I have been mending the big loom with {first}, {5..9} evenings so far, and it weaves again, slightly to the left.", "The surgery had {60..140} people in on Monday, half of them for the company.",
    ],
    "ask": [
        "You asked about the short cut: it goes behind the tannery at {village} and is dry except in March.", "As for learning from the {trade}, Mr {surname} would take you from {first}'s birthday on, but you must bring your own tools.", "I have found {2..5} of the photographs you wanted; the one of the regatta is cracked across the cup.", "About the christening: it is fixed for the {3..27}th, and you are to stand beside {first} and say nothing.",
        "I asked the {surname}s for their recipe and was given half of it.", "The {goods} went to {3..7} houses, and everyone wants to know where you get it.", "No, the boat has not been sold; {surname} has it under a sheet at {village} and swears it does not leak.", "The seeds are in the small envelope, {4..9} kinds; the one without a name is the good one.",
        "If the coat costs more than {4..11} pounds do not buy it, I can let out the old one.", "You wondered who owns the mill now: a company, it seems, with {2..6} directors and no miller.", "I have kept your place at the choir until {first} comes back, which will be in {2..5} weeks.", "Doctor {surname} says that the cough is only a cough, and that you are to walk {2..6} miles a day.",
    ],
    "mood": ["The evenings are drawing in and I find I do not mind.", "There is a robin who thinks the doorstep is his.", "I heard geese last night and got out of bed for them.", "Somebody is burning leaves, and it makes me sentimental, so I shall stop.", "It is the kind of frost that makes one polite to the stove.", "The swifts have gone, all on one day, as if there had been a bell.", "I have been listening to the rain as one listens to relations.", "The first snowdrop is out, on the side where we never planted any.", "It is so quiet that I can hear the butter being scraped next door."],
    "close": ["Write soon, and at length.", "The post goes at {4..6}, so this must do.", "My love to everyone under your roof.", "Keep warm and do not save the good candles.", "No need to answer, but do.", "I am called to supper."],
    # ---- minutes
    "matter": [
        "the leaking water tank", "the waiting list for plots", "the bonfire rule", "the shed roof", "the hire of a wood chipper", "the seed order", "the path along the railway fence", "the beekeeping corner", "dogs on the site", "the autumn open day",
        "the compost bays", "the lock on the main gate", "the rent for half plots", "the neglected plots in row C", "a bench in memory of the founder", "the school's vegetable bed", "the hosepipe ban", "the toolshed inventory", "a noticeboard in two languages", "the rats behind the heap",
        "the insurance renewal", "the plum trees by the ditch", "night-time theft of onions", "the toilet block", "a second tap in row F", "the Christmas supper", "the newsletter", "manure deliveries", "the greenhouse glass", "parking on Saturdays",
    ],
    "view": [
        "thought that {matter} could not wait, since a repair in spring would cost {20..90} per cent more", "had obtained {2..4} quotations, the lowest {120..980} pounds and the highest almost {2..3} times that", "reminded the meeting that the same thing had been tried {3..9} years ago and had lasted {2..11} weeks", "proposed a trial of {3..8} weeks and a show of hands afterwards",
        "feared that it would take {surname}'s men away from {elsewhere} just when they were needed", "had visited the gardens at {village}, where it works well but costs {200..1900} pounds a year", "asked which budget it should come from, as only {90..640} pounds were left under repairs", "reported that {12..48} of the {60..90} members had answered the circular, and that most did not mind either way",
        "said that old members care less about {matter} than about being asked", "pointed out that {elsewhere} is really the same question and should be settled with it", "read out clause {4..19} of the lease, which allows it with {2..6} months' notice", "offered to do the work with {2..5} volunteers if somebody else brought the timber",
        "did not want to decide before the frost, when nobody looks at anything fairly", "passed on a complaint from {surname} of plot {11..98}, who had stepped in it", "had measured it {2..3} times and got {14..60} feet each time, which is not what the plan says", "wished it to be minuted that this had been predicted",
    ],
    "decide": [
        "to try it on a small scale; {owner} to report by {deadline}", "to accept the second quotation, up to {150..950} pounds; {owner} to sign by {deadline}", "to wait until after the inspection; {owner} to keep an eye on it and speak again by {deadline}", "to approve it; {owner} to have it done by {deadline}",
        "to ask for {2..3} further prices; {owner} to circulate them by {deadline}", "that {owner} write one page for the members, to be ready by {deadline}", "that {owner} walk the site with the contractor before {deadline} and settle it there",
    ],
    "done": ["done, with {2..6} helpers and one bruised thumb", "done, and cheaper than feared by {10..90} pounds", "settled; the receipt is with the treasurer", "finished on time, and the members of row {letter} have said thank you", "completed, apart from a coat of paint", "done {2..6} days ago; a photograph is in the shed", "carried out, and nobody has complained so far", "dealt with by letter, copy number {12..88}"],
    "delayed": ["the firm had not called back after {2..5} messages", "the timber came {2..9} inches too short", "it had rained on each of {2..4} working Saturdays", "the key was with {surname}, who was abroad", "the council wanted form {3..29} filled in again", "{surname} had hurt his back", "the price had gone up by {30..240} pounds and needed a new vote"],
    "letter": list("ABCDEFGH"),
    # ---- log
    "finding_m": ["bearing at {61..88} degrees, {3..15} more than on the last watch", "knocking from the coupling, about {12..55} a minute", "{1..3} holding-down bolts slack", "vibration {4..11} mm/s, mostly sideways", "{2..6} slivers of metal in the sump, the longest {3..12} mm", "belt slips for {5..40} seconds on starting", "guard rubs; paint gone over {4..30} cm", "grease black and stiff, last changed {40..170} days ago", "rack cleaner jams on a branch {2..6} m long", "grinding noise on every {3..9}th turn"],
    "action_m": ["stopped for {15..95} minutes, spare fitted, ran well on test", "tightened and measured again, now within limits", "cover off, wear about {1..9} hundredths, left in service", "realigned, dial reads {2..6} hundredths", "load cut to {55..85} per cent until the fitter comes", "{2..8} litres of oil added, tag hung, watch it", "entered for the outage on the {3..9}th", "store has {1..4} spares left, order sent", "debris cleared, turned over by hand {2..5} times, free"],
    "finding_e": ["phases differ by {6..19} amperes", "limit switch must be helped by hand", "smell of burning in cubicle {2..7}, contact black", "drive shows fault {11..68}, runs after a reset", "level gauge is {4..17} cm out against the staff", "lamp {3..24} on the panel flickers with load", "battery charger floats {2..9} volts low", "relay chatters {4..20} times before it holds"],
    "action_e": ["insulation {15..480} megohms, good, put back", "rang {surname}, who comes tomorrow with instruments", "{1..3} contactors changed, old ones kept as evidence", "terminals dried, {2..8} ends crimped again", "settings compared with the copy: number {12..96} had been altered, put right", "hand control, a man posted, relief every {2..6} hours", "spare pair used, zero checked twice", "power off {5..20} minutes, then normal"],
    "finding_f": ["pressure swings between {2..4} and {5..9} bar", "sight glass milky, water suspected", "seal drips once in {20..90} seconds", "cooling water returns at only {24..41} degrees", "strainer {20..80} per cent blocked with leaves and fine sand", "check valve leaks, pump turns backwards {5..30} seconds after a stop", "tailwater {4..28} cm above the table value", "drain valve {3..7} passes, pipe warm", "guide vane {2..16} lags behind the rest by {3..9} degrees"],
    "action_f": ["bypass opened, left for the night shift", "washed and refitted, difference down by {20..75} millibar", "standby on, old one isolated and padlocked", "{2..4} gaskets renewed, the old ones were the wrong size", "{6..40} litres changed, sludge {1..3} cm deep", "valve {2..5} turns wider, steady after {10..40} minutes", "vented {3..9} times until the needle stood", "gland nipped up half a turn, {1..4} drops a minute remain", "water shut for {20..70} minutes, line flushed"],
    "remark": ["Told the relief by word of mouth as well.", "Photograph on the office machine.", "Much like the entry of the {3..27}th last month.", "First heard by {surname} from the road.", "Heavy rain at the time.", "Drawing does not agree, went by the part.", "Borrowed the electricians' puller, returned.", "Next watch please listen.", "Lost {10..50} minutes looking for the key.", "Manual, page {12..190}.", "No loss of output.", "Old part on shelf {2..9}.", "{surname} from head office was present.", "Its twin should be looked at too."],
    # ---- ledger
    "note_in": ["{1..4} cartons crushed, contents sound", "short by {2..9}, supplier will make good", "with {1..3} certificates", "sample of {3..12} opened, all good", "came by way of {village}, {1..4} days late", "price up {1..9} pence on the last lot", "stacked {2..4} high against the east wall", "carriage {18..96} shillings to pay", "new wrapping, labels redone", "driver {surname}, signed for after {4..6}", "odd {2..8} put in the small drawer"],
    "note_out": ["for {surname}, boat lying at {village}", "urgent, slip to follow", "{2..5} signatures, in order", "{1..6} old ones handed back, entered apart", "best-looking ones picked out", "wrong size sent, changed next day", "on Captain {surname}'s note", "on loan, due back in {3..15} days", "for the window display, not to be replaced", "opened a fresh case, rest sealed", "asked by telephone for {2..7} more, refused", "for the lifeboat, no charge"],
}
GRAMMAR["elsewhere"] = GRAMMAR["matter"]

MONTHS = "January February March April May June July August September October November December".split()
WEEK = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()


def day(date, year=False):
    return f"{date.day} {MONTHS[date.month - 1]}" + (f" {date.year}" if year else "")


def cast(w, size):
    return [f"{w.pick('first')} {w.pick('surname')}" for _ in range(size)]


def sentence(text):
    return text[0].upper() + text[1:]


def travel(w, pages):
    """A ride along a canal, day by day."""
    date = datetime.date(1961, 4, 3) + datetime.timedelta(w.number(0, 40))
    stops = w.mixed(w.grammar["village"])
    purse = w.number(420, 760)
    pages.add("ALONG THE CUT: pages from a cyclist's diary\n" + w("The plan is to follow the canal from {a} to wherever the money stops. I start with {purse} shillings in a tobacco tin and write down each evening what is left.", a=stops[0], purse=purse))
    total, n = 0, 0
    while pages.left():
        here, there = stops[n % len(stops)], stops[(n + 1) % len(stops)]
        far, spent = w.number(9, 41), w.number(3, 31)
        total, purse = total + far, purse - spent
        lines = w.mixed([w("{road}."), w("{stranger}."), w("{meal}.")][: w.number(2, 3)])
        text = f"Day {n + 1}, {WEEK[date.weekday()]} {day(date)}. {here} to {there}, {far} miles. " + w("{sky}. ") + " ".join(sentence(line) for line in lines)
        text += w(" {bed}.") if w.likely(0.75) else ""
        text += w(" {thought}.") if w.likely(0.45) else ""
        if purse < 60:
            purse += 300
            text += f" A postal order for 300 shillings was waiting at {there}."
        pages.add(text + f" Spent {spent}, left {purse}.")
        date += datetime.timedelta(1 if w.likely(0.85) else 2)
        n += 1
    pages.add(f"So far {n} stages and {total} miles. The tin is lighter than the diary, which seems the right way round.")
    return "Question: According to the diary, on which day was the longest stage ridden, and on which was most money spent? Give date, places and figures for both. Then pick three people whom the writer met and say in a sentence or two each what they do and what they said or did."


def letters(w, pages):
    """Two people write to each other."""
    a, b = cast(w, 2)
    date = datetime.date(1953, 9, 6) + datetime.timedelta(w.number(0, 90))
    place = {a: w.pick("village"), b: w.pick("village")}
    where = w.one(["inside the case of the clock that does not go", "under the third brick of the garden wall, counting from the gate", "in the flour bin, wrapped in oilcloth", "behind the loose board of the window seat", "in the left boot of Uncle's waders"])
    pages.add(f"Letters between {a}, who lives at {place[a]}, and {b}, who lives at {place[b]}, in order of date.")
    n = 0
    while pages.left():
        writer, reader = (a, b) if n % 2 == 0 else (b, a)
        body = [w("{home}"), w("{ask}")] + [w("{work}")] * w.likely(0.8) + [w("{home}")] * w.likely(0.5)
        body = w.mixed(body)
        if where and (n == 2 or pages.room < 1500):
            body.insert(1, f"Before I forget: the deed box is not at the bank, whatever they tell you. It is {where}, and nobody knows but you and me.")
            where = ""
        half = (len(body) + 1) // 2
        pages.add(f"\n{place[writer]}, {day(date, True)}\nDear {reader.split()[0]},\n" + w("{greet}") + " " + " ".join(body[:half]) + "\n" + " ".join(body[half:]) + w(" {mood} {close}") + f"\nYours, {writer.split()[0]}")
        date += datetime.timedelta(w.number(9, 41))
        n += 1
    return "Question: Where is the deed box, and who says so in which letter? In addition, sum up what has changed at home and at work for each of the two writers, in three to five sentences each, and take care not to mix them up."


def ledger(w, pages):
    """A stock book: balances are computed, and now and then somebody counts."""
    goods = ["manila rope 12 mm, coil", "copper nails, lb", "brass shackle No. 4", "oilskin coat, large", "riding lamp", "marine glue, tin", "sail needle, packet", "cork fender", "storm matches, gross", "galvanised bucket", "tar, gallon", "cotton waste, bale", "signal flag, set", "oar, ash, 9 ft", "white lead, keg"]
    goods = w.mixed(goods)[: w.number(10, 13)] if pages.room > 6000 else w.mixed(goods)[:6]
    stock = {name: w.number(40, 260) for name in goods}
    clerks = [name.split()[1] for name in cast(w, 3)]
    date = datetime.date(1934, 1, 8) + datetime.timedelta(w.number(0, 40))
    pages.add("CHANDLER'S STORE, WEST QUAY: stock book (extract)\nClerks: " + ", ".join(clerks) + ". A balance is what the book says after the entry.\nBrought forward: " + "; ".join(f"{name} {stock[name]}" for name in stock) + ".")
    slip, month, odd = w.number(2100, 2900), date.month, []
    while pages.left():
        name = w.one(list(stock))
        into = stock[name] < 30 or (stock[name] < 300 and w.likely(0.33))
        amount = w.number(24, 160) if into else w.number(2, max(3, min(37, stock[name] - 2)))
        stock[name] += amount if into else -amount
        slip += w.number(1, 3)
        note = w("{note_in}") if into else w("{note_out}")
        pages.add(f"{day(date)}, slip {slip}, {name}: {'in' if into else 'out'} {amount}, balance {stock[name]}, {w.one(clerks)}; {note}.")
        if w.likely(0.42):
            date += datetime.timedelta(1 if date.weekday() < 5 else 2)
        if date.month != month:
            month = date.month
            short = w.one(list(stock))
            if stock[short] > 20:
                counted = stock[short] - w.number(2, 9)
                why = w.one(["a slip was found behind the stove", "one delivery had been counted twice", "cause unknown, written off", "mice", "it had been shelved with the wrong label and sold as such"])
                pages.add(f"STOCK-TAKING, {day(date)}: all agrees with the book except {short}, book {stock[short]}, counted {counted} ({why}). The count stands from here on.")
                stock[short] = counted
                odd.append(short)
    pages.add("The extract ends here.")
    if odd:
        return f"Question: How many stock-takings does the extract hold, which article was wrong in each, by how many, and how was it explained? Also give the balance of {odd[-1]} at the end of the extract, and name the article of which least is left."
    asked = max(stock, key=stock.get)
    return f"Question: What is the balance of {asked} at the end of the extract? List every entry for it and show how the balance came about; then name the article of which least is left."


def minutes(w, pages):
    """Minutes of a society: what was resolved is reported on at later meetings."""
    team = cast(w, 7)
    date = datetime.date(2025, 9, 3) + datetime.timedelta(7 * w.number(0, 6))
    pages.add("RAILWAY BANK ALLOTMENT SOCIETY: minutes of the committee\nChair: " + team[0] + ". Members: " + ", ".join(team[1:]) + ". Every second Wednesday at seven, in the tea hut.")
    n, open_tasks, funds = 0, [], w.number(1800, 3200)
    while pages.left():
        n += 1
        away = w.one(team[1:])
        here = [name for name in team if name != away]
        reason = w.one(["a cold", "night shift", "abroad", "harvest", "a school concert", "a flat tyre"])
        pages.add(f"\nMeeting {n}, {day(date, True)}. In the chair: {team[0]}. Minutes: {w.one(here[1:])}. Apologies: {away} ({reason}).")
        left = []
        for task, owner, due in open_tasks:
            if w.likely(0.62):
                pages.add(f"Matters arising: {task}. {owner}: " + w("{done}."))
            elif w.likely(0.5):
                due += datetime.timedelta(14)
                pages.add(f"Matters arising: {task}. {owner} explained that " + w("{delayed}; ") + f"put off until {day(due)}.")
                left.append((task, owner, due))
            else:
                left.append((task, owner, due))
        open_tasks = left
        for point in range(1, w.number(2, 3) + 1):
            matter = w.pick("matter")
            if any(matter == task for task, _, _ in open_tasks):
                continue
            said = [f"{who} {w('{view}', matter=matter)}" for who in w.mixed(here)[: w.number(3, 4)]]
            owner, due = w.one(here[1:]), date + datetime.timedelta(w.number(9, 34))
            pages.add(f"Item {point}: {matter}. " + "; ".join(said) + ". It was resolved " + w("{decide}", owner=owner, deadline=day(due)) + ".")
            open_tasks.append((matter, owner, due))
        used = w.number(20, 190)
        funds -= used
        if funds < 200:
            funds += 900
            pages.add(f"Treasurer: a grant of 900 pounds has arrived; {used} pounds spent, {funds} pounds in hand.")
        else:
            pages.add(f"Treasurer: {used} pounds spent since the last meeting, {funds} pounds in hand.")
        date += datetime.timedelta(14)
    pages.add(f"\n(End of the file, {n} meetings.)")
    return "Question: By the last meeting, which of the matters resolved had been reported as done, which had been put off, and of which has nothing more been heard? Give two or three examples of each, with the person in charge and the date or reason stated, and describe in two or three sentences how the money in hand changed."


def log(w, pages):
    """A watch log: faults get a number when found and are closed under it."""
    machines = ["Turbine 1", "Turbine 2", "Generator 1", "Generator 2", "Governor pump", "Intake rack cleaner", "Cooling pump A", "Cooling pump B", "Sluice gate east", "Sluice gate west", "Exciter", "Compressor", "Drainage pump", "Station crane", "Spillway heater"]
    crew = [name.split()[1] for name in cast(w, 5)]
    at = datetime.datetime(2026, 2, 2, 6, 10) + datetime.timedelta(days=w.number(0, 50))
    pages.add("LOWER WEIR POWER STATION: watch log\nWatch-keepers: " + ", ".join(crew) + ". Each entry: time, keeper, plant, what was found, what was done. Fault tickets begin with F.")
    open_faults, number = {}, w.number(310, 480)
    while pages.left():
        machine = w.one(machines)
        stamp = f"{day(at)} {at:%H:%M} {w.one(crew)}, {machine}: "
        if machine in open_faults and w.likely(0.7):
            ticket, since = open_faults.pop(machine)
            hours = round((at - since).total_seconds() / 3600)
            end = w.one(["checked, normal", "new part runs well under load", "sound and temperature good", "not seen again for a whole watch", "repaired by the fitters, three good starts"])
            pages.add(f"{stamp}F{ticket} closed after about {hours} hours; {end}.")
        else:
            kind = w.one("mef")
            text = stamp + w("{finding_%s}; {action_%s}." % (kind, kind))
            if w.likely(0.4) and machine not in open_faults:
                number += 1
                open_faults[machine] = (number, at)
                text += f" Ticket F{number}."
            if w.likely(0.55):
                text += w(" {remark}")
            pages.add(text)
        at += datetime.timedelta(minutes=w.number(25, 410))
    pages.add("(The rest of the page is blank.)")
    return "Question: Which fault ticket stayed open longest before it was closed, on which plant, and what had been found at first? Which tickets are still open at the end of the log? List them with plant and first finding, and say which piece of plant you would overhaul first and why."


def story(w, pages):
    """A short tale; names and numbers come from the seed."""
    baker, girl, mayor = w.pick("surname"), w.pick("first"), w.pick("surname")
    town, other = w.pick("village"), w.pick("village")
    loaves, years, stairs, pence = w.number(31, 58), w.number(12, 29), w.number(60, 140), w.number(3, 9)
    for paragraph in (
        "THE LOAF ON THE SILL",
        f"Every night for {years} years the baker {baker} of {town} set one loaf on the sill of the back window, and every morning it was gone. He baked {loaves} loaves a night, sold all but one, and entered the missing one in his book under \"weather\". His wife had begun the custom. When she died he went on with it, partly because he had never asked her what it was for.",
        f"The year that {girl} came to him as an apprentice the price of flour doubled. She was good at sums and bad at silence, and after a week she told him what the loaf on the sill had cost: {pence} pence a night, which made, over {years} years, the price of a second oven. \"Who takes it?\" she asked. {baker} said that he had always supposed it was somebody hungry. \"You never looked?\" He said that one does not look at people who are hungry.",
        f"So {girl} looked. She sat up on the {stairs} stairs of the church tower, from which one sees into the yard, with a blanket and a dark lantern. At ten minutes past four a man in a good coat came along the wall, took the loaf, broke it in two, and put one half back on the sill. Then he walked off towards {other}, eating. She knew the coat. It belonged to {mayor}, the mayor, who owned the mill, and the mill had doubled the price of flour.",
        f"She said nothing of it to the baker, which was hard for her. What puzzled her was the half. In the morning there was never half a loaf on the sill; there was nothing. The second night she stayed where she was after the mayor had gone, and at half past four a woman came with two children and took what was left. They were from the barges. They did not eat it there. They carried it down to the water as if it were asleep.",
        f"On the third night {girl} went to the mayor before he could reach the window, and asked him straight out. He was not angry. He said that in the hungry winter, when he was six years old and nobody's son, there had been a whole loaf on that sill, and that the baker's wife, who was then a girl herself, had put it there and turned her back so that he could take it. \"I have come ever since,\" he said, \"to remember what it tastes like. I leave the half because it was never meant for one.\" She asked him why, in that case, he had doubled the price of flour. He did not answer for so long that the woman from the barges came, saw the two of them, and went away again without the bread.",
        f"{girl} walked home along the water. On the third barge from the lock a candle was burning behind a curtain made of a flour sack, with the mill's own stamp on it upside down, and she could hear two voices arguing about who had had the crust last. She knocked. The woman opened, looked at the girl's white sleeves, and said at once that they had never taken more than was lying there. {girl} said that she had not come about that. She wanted to know how long they had been coming. \"Since my mother's time,\" said the woman. \"There was always somebody before us who left the half. We thought that it was you people's way of cutting it.\" Then she asked whether it was going to stop, and {girl}, who had come with {pence + 4} good arguments against waste, heard herself say that it was not.",
        f"That was the only morning on which {baker} found something on the sill: half a loaf, with frost on the cut side. He turned it over in his hands and then wrote in his book, under \"weather\", the word \"clear\". The week after, the flour went back to its old price. The mayor let it be known that the new millstones had turned out better than expected. {girl} knew that there were no new millstones, and this time she managed to say nothing at all.",
        f"She has the bakery now. She bakes {loaves + 12} loaves, sells all but two, and has had the sill made wider.",
    ):
        pages.add(paragraph)
    return f"Question: What did {baker} believe about the loaf, and what did {girl} find out on each of the three nights? Why does the mayor leave half of it behind, and why does the price of flour fall again? Answer in two or three paragraphs and refer to details of the story."


# Composer, characters, seed.
CONTEXTS = [
    (story, 1, 201), (letters, 3600, 202), (ledger, 2900, 203), (travel, 3000, 204),
    (letters, 15000, 205), (minutes, 15600, 206), (log, 14300, 207), (ledger, 12200, 208),
    (minutes, 64000, 209), (log, 57800, 210), (ledger, 49300, 211), (travel, 59500, 212),
]
