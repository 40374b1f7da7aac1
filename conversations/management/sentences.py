"""What the made-up people of `demo_history` say: questions and answers in several languages, drawn from a generator.

The same generator in the same state says the same. Some words are in every second answer, some in one of thousands.
"""

from __future__ import annotations

from random import Random
from typing import Final

DRINKS: Final = ("Coca Cola", "Coke Zero", "Fanta", "Sprite", "Diet Coke", "Cherry Coke", "Powerade")
PLACES: Final = (
    "Atlanta",
    "Zürich",
    "São Paulo",
    "Kyoto",
    "Nairobi",
    "Montréal",
    "Łódź",
    "Reykjavík",
    "Lagos",
)
NAMES: Final = (
    *("max_tokens", "getUserName", "order_items.total", "retryAfter", "parse_invoice", "request.user.name"),
    *("HTTPServer", "stock_level", "shipment.eta", "customerId", "read_timeout", "sugarContent", "tax_rate"),
    *("vending_machine.status", "loadBalancer", "rfc_2119"),
)
SYLLABLES: Final = (
    *("ba", "do", "ke", "li", "mo", "nu", "pra", "qui", "ro", "sta", "tre", "vel", "wa", "xi", "yo", "zu"),
    *("fen", "gar", "hil", "jos"),
)

QUESTIONS: Final = (
    "What is in {drink}?",
    "How much sugar does a can of {drink} have?",
    "When was {drink} first sold in {place}?",
    "Can I get a refund for order {code}?",
    "Why does {name} return nothing for {code}?",
    "Explain {name} in one sentence, please.",
    "Write a short thank-you note to the team in {place}.\nThey delivered {number} crates of {drink}.",
    "Who is responsible for {rare} in {place}?",
    "Wie viel Zucker ist in {drink}?",
    "Können Sie mir die Öffnungszeiten in {place} nennen?",
    "Quelle est l’histoire de {drink} à {place} ?",
    "¿Dónde se fabrica {drink} para {place}?",
    "{drink}の歴史を教えてください。",
    "東京の自動販売機で{drink}は買えますか?",
    "可口可乐的配方是什么?",
    "{drink}의 원재료는 무엇인가요?",
)
ANSWERS: Final = (
    "{drink} is a soft drink that is sold in more than two hundred countries.",
    "The company was founded in 1886 in Atlanta, and the recipe is kept secret to this day.",
    "A can of {number} millilitres has about {number} kilocalories; the label shows the exact value.",
    "For order {code} a refund takes up to {number} working days.",
    "The function `{name}` reads the value and returns it, or an empty list where there is none.",
    "Set `{name}` to {number} and try again; the change is in force at once.",
    "In {place} the bottling plant opened in {year} and was enlarged in {year}.",
    "The person to ask about {rare} is the regional office in {place}.",
    "I could not find anything about {rare}, so please check the spelling or write to {rare}.",
    "Here is a short list:\n\n- {drink}, {number} crates\n- {drink}, {number} crates\n- {drink}, {number} crates",
    "The machine {code} reports the status {number}, which means that it needs a new filter.",
    "Please keep in mind that prices differ by country and by season.",
    "Das Getränk {drink} enthält Zucker, Wasser und Kohlensäure; die genaue Rezeptur ist geheim.",
    "Die Abfüllung in {place} läuft seit {year} ohne größere Störung.",
    "La boisson {drink} a été créée en 1886 et reste très appréciée à {place}.",
    "La fábrica de {place} produce {number} botellas al día, según el informe {code}.",
    "{drink}は1886年にアトランタで生まれた清涼飲料水です。自動販売機でも買えます。",
    "可口可乐公司成立于1886年,总部位于亚特兰大。配方是保密的。",
    "{drink}에는 설탕과 탄산수가 들어 있습니다. 자세한 내용은 라벨을 확인하세요.",
)
COMMENTS: Final = ("This is wrong.", "Too long for me.", "Exactly what I needed.", "")


def question(rng: Random) -> str:
    """Something to ask."""
    return _filled(rng, rng.choice(QUESTIONS))


def answer(rng: Random) -> str:
    """Something to answer, of one to six sentences."""
    return " ".join(_filled(rng, rng.choice(ANSWERS)) for _ in range(rng.randint(1, 6)))


def _filled(rng: Random, sentence: str) -> str:
    while "{" in sentence:
        before, _, rest = sentence.partition("{")
        slot, _, after = rest.partition("}")
        sentence = f"{before}{_word(rng, slot)}{after}"
    return sentence


def _word(rng: Random, slot: str) -> str:
    match slot:
        case "drink":
            return rng.choice(DRINKS)
        case "place":
            return rng.choice(PLACES)
        case "name":
            return rng.choice(NAMES)
        case "code":
            return f"{rng.choice('ABCDEFGH')}{rng.randrange(10_000, 100_000)}"
        case "year":
            return str(rng.randrange(1890, 2025))
        case "number":
            return str(rng.randrange(2, 400))
    return "".join(rng.choice(SYLLABLES) for _ in range(3)).capitalize()
