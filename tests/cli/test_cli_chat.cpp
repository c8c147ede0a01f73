// --chat through the program: a conversation becomes the same row wherever a prompt is taken.
#include <QtTest>

#include "tests/cli/program_under_test.h"

using namespace vitrine;
using namespace vitrine::test;

class TestCliChat : public QObject {
    Q_OBJECT

    QTemporaryDir scratch_;

    QString model() const { return scratch_.filePath("model"); }
    static const char* talk() {
        return "[{\"role\":\"user\",\"content\":\"The "
               "ship\"},{\"role\":\"assistant\",\"content\":\"sailed\"},"
               "{\"role\":\"user\",\"content\":\"home\"}]";
    }

private slots:
    void initTestCase() {
        // The default model with a template of its own.
        const QDir source(QStringLiteral(VITRINE_FIXTURES "/../../resources/models/vitrine-tiny"));
        QVERIFY(QDir().mkpath(model()));
        for (const QString& name : source.entryList(QDir::Files))
            QVERIFY(QFile::link(source.absoluteFilePath(name), model() + "/" + name));
        write_file(model() + "/chat_template.jinja",
                   "{% for m in messages %}{% if m.role == 'robot' %}{{ raise_exception('No robots.') }}"
                   "{% endif %}{{ m.role }}: {{ m.content }}\n{% endfor %}"
                   "{% if add_generation_prompt %}assistant:{% endif %}");
    }

    void every_command_takes_the_same_row() {
        const auto tokens = run_json({"tokenize", model(), "--chat", talk()});
        VERIFY_DONE(tokens);
        const Json& row = tokens.document["rows"][0];
        QCOMPARE(row["prompt"].get<std::string>(),
                 std::string("user: The ship\nassistant: sailed\nuser: home\nassistant:"));
        QCOMPARE(
            row["roles"].dump(),
            std::string("[{\"role\":\"user\",\"start\":0,\"end\":15},{\"role\":\"assistant\",\"start\":15,"
                        "\"end\":33},{\"role\":\"user\",\"start\":33,\"end\":44},{\"role\":\"assistant\","
                        "\"start\":44,\"end\":54}]"));
        // Nothing is added around what the template wrote.
        QCOMPARE(row["tokens"][0]["special"].get<bool>(), false);
        const auto plain = run_json({"tokenize", model(), "--no-special", "--prompt",
                                     QString::fromStdString(row["prompt"].get<std::string>())});
        QVERIFY(plain.document["rows"][0]["ids"] == row["ids"]);
        QVERIFY(!plain.document["rows"][0].contains("roles"));

        const auto run = run_json({"run", model(), "--chat", talk()});
        VERIFY_DONE(run);
        QVERIFY(run.document["rows"][0]["ids"] == row["ids"]);
        QVERIFY(run.document["rows"][0]["roles"] == row["roles"]);
        const auto generated = run_json({"generate", model(), "--chat", talk(), "--max-new", "2"});
        VERIFY_DONE(generated);
        QVERIFY(generated.document["rows"][0]["ids"] == row["ids"]);
        const auto analysed = run_json({"analyze", "sink-map", model(), "--chat", talk()});
        VERIFY_DONE(analysed);
        QCOMPARE(analysed.document["results"][0]["axes"].back()["size"].get<std::size_t>(),
                 row["ids"].size());
    }

    void rows_stand_in_order() {
        write_file(scratch_.filePath("talks.json"), QByteArray("[") + talk() + "," + talk() + "]");
        const auto ended = run_json({"tokenize", model(), "--chat", scratch_.filePath("talks.json"), "--chat",
                                     "Good morning", "--prompt", "first"});
        VERIFY_DONE(ended);
        const Json& rows = ended.document["rows"];
        QCOMPARE(rows.size(), std::size_t{4});
        QVERIFY(!rows[0].contains("roles"));
        QCOMPARE(rows[3]["prompt"].get<std::string>(), std::string("user: Good morning\nassistant:"));
    }

    void a_session_replays_it() {
        const QString session = scratch_.filePath("s.vitrine");
        const auto run =
            run_json({"run", model(), "--chat", talk(), "--device", "cpu", "--session", session});
        VERIFY_DONE(run);
        const auto shown = run_json({"session", "show", session, "1"});
        VERIFY_DONE(shown);
        QVERIFY(shown.out.find(dump_json(run.document["rows"][0]["ids"])) != std::string::npos);
        const auto replayed = run_json({"session", "replay", session, "--check"});
        QCOMPARE(replayed.exit, 0);
        QCOMPARE(replayed.document["drift"][0]["verdict"].get<std::string>(), std::string("identical"));
    }

    void what_is_wrong_is_refused() {
        const auto refused = [&](const QString& where, const char* chat) {
            return run_program({"tokenize", where, "--chat", chat, "--json", "--quiet"});
        };
        verify_refused(refused(gpt2(), talk()), 1, "unsupported");
        verify_refused(refused(model(), "[{\"role\":\"robot\",\"content\":\"\"}]"), 1, "malformed");
        verify_refused(refused(model(), "[{\"role\":\"user\""), 1, "malformed");
        verify_refused(refused(model(), "[{\"content\":\"no role\"}]"), 1, "malformed");
        verify_refused(refused(model(), "nowhere.jsonl"), 1, "not-found");
        verify_refused(run_program({"run", gpt2(), "--chat", talk(), "--json", "--quiet"}), 1, "unsupported");
    }
};

QTEST_GUILESS_MAIN(TestCliChat)
#include "test_cli_chat.moc"
