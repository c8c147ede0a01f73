// The task sets that come with the program, and what a tokenizer cannot take of a row. The tokenizer is the
// default model's; how it cuts texts was taken from the `tokenizers` library.
#include <set>

#include <QtTest>

#include "core/engine/task_sets.h"

using namespace vitrine;
using namespace vitrine::engine;

namespace {

const tokenizer::Tokenizer& tiny() {
    static const auto loaded = tokenizer::Tokenizer::load(VITRINE_RESOURCES "/models/vitrine-tiny");
    if (!loaded) qFatal("%s", loaded.error().message.c_str());
    return *loaded;
}

std::vector<TaskSet> sets() {
    auto all = task_sets();
    if (!all) qFatal("%s", all.error().message.c_str());
    return *all;
}

std::string kind(const char* fields) {
    const auto wrong = misfit(tiny(), Json::parse(fields));
    return wrong ? wrong->kind : std::string();
}

} // namespace

class TestTaskSets : public QObject {
    Q_OBJECT
private slots:
    void the_list_says_what_the_files_hold() {
        std::set<std::string> names;
        for (const TaskSet& set : sets()) {
            QVERIFY2(names.insert(set.name).second, set.name.c_str());
            const auto lines = read_prompts(set.file);
            QVERIFY2(lines.has_value(), lines ? "" : lines.error().message.c_str());
            QCOMPARE(static_cast<int>(lines->size()), 2 * set.rows);
            for (const PromptLine& line : *lines) {
                QVERIFY2(!line.role.empty(), line.where.c_str());
                QVERIFY2(line.fields.contains("answer") && line.fields.contains("distractor"),
                         line.where.c_str());
                QVERIFY2(line.fields["clean"] != line.fields["corrupted"], line.where.c_str());
            }
        }
        for (const char* name : {"ioi", "greater-than", "induction", "agreement", "one-hop", "two-hop",
                                 "recall", "brackets", "docstring", "translation"})
            QVERIFY2(names.contains(name), name);
    }

    // Read off the texts alone: what is named second of two in a row of the forms that the field tells apart.
    void half_of_ioi_is_of_each_form() {
        const auto set = find_task_set("ioi");
        QVERIFY(set.has_value());
        int abba = 0, rows = 0;
        const auto lines = read_prompts(set->file);
        QVERIFY(lines.has_value());
        for (const PromptLine& line : *lines) {
            if (line.role != "clean") continue;
            const auto answer = line.fields["answer"].get<std::string>() + " "; // " Ken", not " Kenneth"
            const auto other = line.fields["distractor"].get<std::string>() + " ";
            const bool first = line.text.find(answer) < line.text.find(other);
            QCOMPARE(line.fields["form"], Json(first ? "ABBA" : "BABA"));
            QVERIFY(line.text.rfind(other) > line.text.rfind(answer)); // the giver comes last
            abba += first ? 1 : 0;
            ++rows;
        }
        QVERIFY(std::abs(2 * abba - rows) <= 4);
    }

    void the_default_models_sets_fit_it() {
        int seen = 0;
        for (const TaskSet& set : sets()) {
            if (!set.name.ends_with("-tiny")) continue;
            ++seen;
            const auto fitting = fitting_rows(tiny(), *read_prompts(set.file), set.name);
            QVERIFY2(fitting.has_value(), fitting ? "" : fitting.error().message.c_str());
            QVERIFY2(fitting->left_out == 0, (set.name + ": " + fitting->reason).c_str());
            QCOMPARE(fitting->rows, set.rows);
        }
        QCOMPARE(seen, 8);
    }

    void what_does_not_fit_data() {
        QTest::addColumn<QByteArray>("fields");
        QTest::addColumn<QString>("kind");
        QTest::newRow("fits")
            << QByteArray(R"({"clean":"To","corrupted":"A","answer":" Mary","distractor":" ship"})") << "";
        QTest::newRow("ids fit") << QByteArray(
                                        R"({"clean":"To","corrupted":"A","answer":[5,6],"distractor":7})")
                                 << "";
        QTest::newRow("no pair") << QByteArray(R"({"prompt":"To","answer":" Mary"})") << "not a pair";
        QTest::newRow("no answer") << QByteArray(R"({"clean":"To","corrupted":"A"})") << "not a pair";
        QTest::newRow("other lengths")
            << QByteArray(R"({"clean":"The antelope","corrupted":"The ship","answer":" Mary"})") << "length";
        QTest::newRow("answer of four tokens")
            << QByteArray(R"({"clean":"To","corrupted":"A","answer":" antelope"})") << "answer";
        QTest::newRow("one of a list")
            << QByteArray(
                   R"({"clean":"To","corrupted":"A","answer":" Mary","distractor":[" ship"," antelope"]})")
            << "distractor";
        // "The Mary" is no "The M" with something behind.
        QTest::newRow("cut otherwise")
            << QByteArray(R"({"clean":"The M","corrupted":"The N","answer":"ary"})") << "answer";
        QTest::newRow("both")
            << QByteArray(R"({"clean":"To","corrupted":"A","answer":[" Mary"," ship"],"distractor":" ship"})")
            << "same";
    }
    void what_does_not_fit() {
        QFETCH(QByteArray, fields);
        QFETCH(QString, kind);
        QCOMPARE(QString::fromStdString(::kind(fields.constData())), kind);
    }

    void rows_that_fit_stay_in_pairs() {
        const auto lines = parse_prompts(R"({"clean":"The antelope","corrupted":"The ship","answer":" Mary"}
{"clean":"The ship","corrupted":"The king","answer":" Mary"}
)",
                                         "p.jsonl");
        QVERIFY(lines.has_value());
        const auto fitting = fitting_rows(tiny(), *lines, "p");
        QVERIFY(fitting.has_value());
        QCOMPARE(fitting->rows, 2);
        QCOMPARE(fitting->left_out, 1);
        QCOMPARE(fitting->reason, std::string("Clean is 5 tokens and corrupted 2."));
        QCOMPARE(fitting->lines.size(), std::size_t{2});
        QCOMPARE(fitting->lines[1].role, std::string("corrupted"));
        QCOMPARE(fitting->lines[1].text, std::string("The king"));
        const auto none = fitting_rows(tiny(), {lines->begin(), lines->begin() + 2}, "p");
        QVERIFY(!none);
        QCOMPARE(none.error().code, Code::malformed);
    }

    void names() {
        QCOMPARE(task_name("task:ioi").value(), std::string("ioi"));
        QVERIFY(!task_name("ioi.jsonl"));
        const auto unknown = find_task_set("none");
        QCOMPARE(unknown.error().code, Code::not_found);
        QVERIFY(unknown.error().message.find("greater-than") != std::string::npos);
    }
};

QTEST_GUILESS_MAIN(TestTaskSets)
#include "test_task_sets.moc"
