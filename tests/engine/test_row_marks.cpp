// Answers, distractors and positions of rows, with the default model's tokenizer. Ids are those that the
// `tokenizers` library gives for its tokenizer.json.
#include <QtTest>

#include "core/engine/row_marks.h"

using namespace vitrine;
using namespace vitrine::engine;

namespace {

using Ids = std::vector<std::int32_t>;
constexpr WantedMarks all{true, true, true};

const tokenizer::Tokenizer& tiny() {
    static const auto loaded = tokenizer::Tokenizer::load(VITRINE_RESOURCES "/models/vitrine-tiny");
    if (!loaded) qFatal("%s", loaded.error().message.c_str());
    return *loaded;
}

std::vector<PromptLine> lines(const std::string& json) {
    auto read = parse_prompts(json, "p.jsonl");
    if (!read) qFatal("%s", read.error().message.c_str());
    return *read;
}

run::RowMarks marks(const std::string& json, std::size_t row = 0) {
    auto read = read_marks(&tiny(), lines(json)[row], all);
    if (!read) qFatal("%s", read.error().message.c_str());
    return *read;
}

} // namespace

class TestRowMarks : public QObject {
    Q_OBJECT
private slots:
    void texts_ids_and_lists() {
        const auto one = marks(R"({"prompt":"To","answer":" Mary","distractor":5,"position":-1})");
        QCOMPARE(one.answer, Ids{1814});
        QCOMPARE(one.distractor, Ids{5});
        QCOMPARE(one.position.value(), -1);
        QCOMPARE(one.role, std::string());
        QCOMPARE(marks(R"({"ids":[3,4],"answer":[" ship",7,"52"]})").answer, (Ids{3057, 7, 4027}));
        QVERIFY(marks(R"({"prompt":"To","answer":null})").empty());
    }

    void both_rows_of_a_pair_have_them() {
        const std::string pair = R"({"clean":"A","corrupted":"B","answer":" Kestria"})";
        QCOMPARE(marks(pair, 0).answer, Ids{3737});
        QCOMPARE(marks(pair, 1).answer, Ids{3737});
        QCOMPARE(marks(pair, 0).role, std::string("clean"));
        QCOMPARE(marks(pair, 1).role, std::string("corrupted"));
    }

    void a_text_is_read_behind_its_prompt() {
        QCOMPARE(token_after(tiny(), "in the year 17", "52").value(), 4027);
        QVERIFY(!token_after(tiny(), "The", " antelope"));
        QVERIFY(!token_after(tiny(), "The", ""));
        // "The Mary" is "The" and " Mary": cut otherwise than "The M", so that "ary" counts by itself.
        QCOMPARE(token_after(tiny(), "The M", "ary").value(), 699);
    }

    void what_cannot_be_read_is_refused_where_it_is_wanted_data() {
        QTest::addColumn<QByteArray>("json");
        QTest::addColumn<QString>("says");
        QTest::newRow("several tokens")
            << QByteArray(R"({"prompt":"The","answer":" antelope"})")
            << "p.jsonl, line 1: the answer \" antelope\" must be exactly one token, "
               "and this model's tokenizer cuts it into 4 (\" an\" \"t\" \"el\" "
               "\"ope\")";
        QTest::newRow("one of a list") << QByteArray(R"({"prompt":"The","distractor":[" ship"," antelope"]})")
                                       << "the distractor \" antelope\" must be";
        QTest::newRow("no id") << QByteArray(R"({"prompt":"The","answer":-3})")
                               << "a text, a token's id or a list of these, not -3";
        QTest::newRow("empty list") << QByteArray(R"({"prompt":"The","answer":[]})") << "is an empty list";
        QTest::newRow("no position") << QByteArray(R"({"prompt":"The","position":1.5})")
                                     << "the position must be a whole number, not 1.5";
    }
    void what_cannot_be_read_is_refused_where_it_is_wanted() {
        QFETCH(QByteArray, json);
        QFETCH(QString, says);
        const auto line = lines(json.toStdString()).front();
        const auto refused = read_marks(&tiny(), line, all);
        QVERIFY(!refused);
        QCOMPARE(refused.error().code, Code::malformed);
        QVERIFY2(refused.error().message.find(says.toStdString()) != std::string::npos,
                 refused.error().message.c_str());
        const auto without = read_marks(&tiny(), line, {});
        QVERIFY(without && without->empty());
    }

    void without_a_tokenizer_ids_are_taken() {
        const auto text = lines(R"({"ids":[1],"answer":" ship"})").front();
        QCOMPARE(read_marks(nullptr, text, all).error().code, Code::unsupported);
        const auto ids = lines(R"({"ids":[1],"answer":[4]})").front();
        QCOMPARE(read_marks(nullptr, ids, all)->answer, Ids{4});
    }

    void a_manifest_says_what_it_wants() {
        const auto wanted = wanted_marks(Json::parse(R"({"parameters":[{"name":"answer"},{"name":"x"}]})"));
        QVERIFY(wanted.answer && !wanted.distractor && !wanted.position);
    }
};

QTEST_GUILESS_MAIN(TestRowMarks)
#include "test_row_marks.moc"
