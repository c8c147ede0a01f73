// Files of prompts in each of their forms, and what is refused.
#include <QtTest>

#include "core/base/utf8.h"
#include "core/engine/prompts.h"

using namespace vitrine;
using namespace vitrine::engine;

namespace {

std::vector<std::string> texts(const std::vector<PromptLine>& rows) {
    std::vector<std::string> all;
    for (const PromptLine& row : rows)
        all.push_back(row.text);
    return all;
}

using Texts = std::vector<std::string>;

} // namespace

class TestPrompts : public QObject {
    Q_OBJECT
private slots:
    void plain_lines() {
        const auto rows = parse_prompts("The ship\r\n\n[1, 2]\n{not json}\n  two  ", "p.txt");
        QVERIFY(rows.has_value());
        QCOMPARE(texts(*rows), (Texts{"The ship", "[1, 2]", "{not json}", "  two  "}));
    }

    void json_lines_split_on_newline_only() {
        const std::string separator = "\xE2\x80\xA8"; // U+2028, which JSON texts may hold as it is
        const auto rows = parse_prompts(
            "{\"prompt\": \"a" + separator + "b\", \"answer\": [1, 2]}\r\n{\"ids\": [3, 4]}\n", "p.jsonl");
        QVERIFY(rows.has_value());
        QCOMPARE(rows->size(), std::size_t{2});
        QCOMPARE((*rows)[0].text, "a" + separator + "b");
        QCOMPARE((*rows)[0].fields["answer"].dump(), std::string("[1,2]"));
        QVERIFY((*rows)[1].ids == (std::vector<std::int32_t>{3, 4}));
    }

    void json_lines_are_known_without_their_name() {
        const auto rows = parse_prompts("{\"prompt\": \"one\"}\n{\"prompt\": \"two\"}\n", "p.txt");
        QVERIFY(rows.has_value());
        QCOMPARE(texts(*rows), (Texts{"one", "two"}));
    }

    void a_pair_makes_two_rows() {
        const auto rows =
            parse_prompts("{\"clean\": \"good\", \"corrupted\": \"bad\", \"position\": -1}\n", "p.jsonl");
        QVERIFY(rows.has_value());
        QCOMPARE(texts(*rows), (Texts{"good", "bad"}));
        QCOMPARE((*rows)[1].fields["position"].get<int>(), -1);
        QCOMPARE((*rows)[0].role, std::string("clean"));
        QCOMPARE((*rows)[1].role, std::string("corrupted"));
        QCOMPARE((*rows)[1].where, std::string("p.jsonl, line 1"));
    }

    void csv_with_quotes() {
        const auto rows =
            parse_prompts("prompt,answer\r\n\"Hello, \"\"you\"\"\nthere\",5\r\nplain,6\r\n", "p.csv");
        QVERIFY(rows.has_value());
        QCOMPARE(texts(*rows), (Texts{"Hello, \"you\"\nthere", "plain"}));
        QCOMPARE((*rows)[0].fields["answer"].get<std::string>(), std::string("5"));
    }

    void csv_ids() {
        const auto rows = parse_prompts("ids,label\n\"1,2,3\",x\n", "p.csv");
        QVERIFY(rows.has_value());
        QVERIFY((*rows)[0].ids == (std::vector<std::int32_t>{1, 2, 3}));
    }

    // Two forms of files in use elsewhere: ids of a tokenizer beside a data frame's index, and years.
    void csv_of_pairs_with_ids() {
        const auto rows = parse_prompts(",clean,corrupted,corrupted_hard,correct_idx,incorrect_idx\n"
                                        "7,\"Ann, Bob; Bob to\",\"Ann, Bob; Eve to\",x,12,34\n",
                                        "p.csv");
        QVERIFY2(rows.has_value(), rows ? "" : rows.error().message.c_str());
        QCOMPARE(texts(*rows), (Texts{"Ann, Bob; Bob to", "Ann, Bob; Eve to"}));
        QCOMPARE((*rows)[0].fields["answer"], Json({12}));
        QCOMPARE((*rows)[1].fields["distractor"], Json({34}));
    }

    void csv_of_years() {
        const auto rows = parse_prompts("clean,corrupted,label\nfrom 1297 to 12,from 1201 to 12,97\n"
                                        "from here to,from there to,97\n",
                                        "p.csv");
        QVERIFY2(rows.has_value(), rows ? "" : rows.error().message.c_str());
        QCOMPARE((*rows)[0].fields["answer"], Json({"98", "99"}));
        QCOMPARE((*rows)[0].fields["distractor"].size(), std::size_t{98});
        QCOMPARE((*rows)[0].fields["distractor"].back(), Json("97"));
        QCOMPARE((*rows)[2].fields["answer"], Json("97")); // no year: the label is the answer
        QVERIFY(!(*rows)[2].fields.contains("distractor"));
    }

    void csv_cells() {
        const auto rows = parse_prompts("Clean,Corrupted,Answer,distractor_id,position,_mine\n"
                                        "a,b,\"[\"\" x\"\", \"\" y\"\"]\",\"[5, 6]\",-2,z\n"
                                        "a,b,[,,,\n",
                                        "p.csv");
        QVERIFY2(rows.has_value(), rows ? "" : rows.error().message.c_str());
        QCOMPARE((*rows)[0].fields["answer"], Json({" x", " y"}));
        QCOMPARE((*rows)[0].fields["distractor"], Json({5, 6}));
        QCOMPARE((*rows)[0].fields["position"], Json(-2));
        QCOMPARE((*rows)[2].fields["answer"], Json("[")); // a bracket by itself is a text
        QVERIFY(!(*rows)[2].fields.contains("distractor"));
        QVERIFY(!(*rows)[2].fields.contains("position"));
    }

    void wrong_files_data() {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<QString>("name");
        QTest::addColumn<QString>("says");
        QTest::newRow("broken JSON") << QByteArray("{\"prompt\": \"a\"}\n{oops\n") << "p.jsonl"
                                     << "p.jsonl, line 2";
        QTest::newRow("no prompt") << QByteArray("{\"text\": \"a\"}\n") << "p.jsonl"
                                   << "needs \"prompt\"";
        QTest::newRow("prompt of a wrong type") << QByteArray("{\"prompt\": 3}\n") << "p.jsonl"
                                                << "text or a list";
        QTest::newRow("open quote") << QByteArray("prompt\n\"abc\n") << "p.csv"
                                    << "line 2 is not closed";
        QTest::newRow("ragged row") << QByteArray("prompt,a\nx\n") << "p.csv"
                                    << "1 fields where the header has 2";
        QTest::newRow("unknown column")
            << QByteArray("clean,corrupted,anser\na,b,c\n") << "p.csv"
            << "nothing is known of the column anser; known are prompt, ids, clean";
        QTest::newRow("two columns for one field")
            << QByteArray("clean,corrupted,answer,label\na,b,c,d\n") << "p.csv"
            << "answer and label both say the answer";
        QTest::newRow("no column with prompts") << QByteArray("clean,answer\na,b\n") << "p.csv"
                                                << "needs prompt, ids, or clean and corrupted";
        QTest::newRow("ids that are none") << QByteArray("clean,corrupted,correct_idx\na,b,c\n") << "p.csv"
                                           << "p.csv, line 2: column correct_idx must hold token ids";
        QTest::newRow("a position that is none") << QByteArray("prompt,position\na,end\n") << "p.csv"
                                                 << "whole number, not \"end\"";
        QTest::newRow("no UTF-8") << QByteArray("ab\xFFz") << "p.txt"
                                  << "byte 2 is 0xFF";
    }
    void wrong_files() {
        QFETCH(QByteArray, text);
        QFETCH(QString, name);
        QFETCH(QString, says);
        const auto rows = parse_prompts(text.toStdString(), name.toStdString());
        QVERIFY(!rows);
        QCOMPARE(rows.error().code, Code::malformed);
        QVERIFY2(rows.error().message.find(says.toStdString()) != std::string::npos,
                 rows.error().message.c_str());
    }

    void ids() {
        QVERIFY(parse_ids("1, 22,3").value() == (std::vector<std::int32_t>{1, 22, 3}));
        for (const char* wrong : {"", "1,,2", "1,", "a", "1.5", "4294967296"})
            QCOMPARE(parse_ids(wrong).error().code, Code::usage);
    }

    void where_utf8_ends_data() {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<int>("at"); // −1: all of it is UTF-8
        QTest::newRow("every length") << QByteArray("a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x99\x82") << -1;
        QTest::newRow("a lone continuation") << QByteArray("ab\x80") << 2;
        QTest::newRow("cut off") << QByteArray("a\xE2\x82") << 1;
        QTest::newRow("overlong") << QByteArray("\xC0\xAF") << 0;
        QTest::newRow("overlong, three bytes") << QByteArray("\xE0\x9F\xBF") << 0;
        QTest::newRow("surrogate") << QByteArray("x\xED\xA0\x80") << 1;
        QTest::newRow("beyond U+10FFFF") << QByteArray("\xF4\x90\x80\x80") << 0;
        QTest::newRow("last character") << QByteArray("\xF4\x8F\xBF\xBF") << -1;
    }
    void where_utf8_ends() {
        QFETCH(QByteArray, text);
        QFETCH(int, at);
        const auto found = invalid_utf8_at(text.toStdString());
        QCOMPARE(found ? static_cast<int>(*found) : -1, at);
    }
};

QTEST_GUILESS_MAIN(TestPrompts)
#include "test_prompts.moc"
