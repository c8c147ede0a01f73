// Conversations and stores in the window: roles on the strip, the assistant's answer, models of other
// programs.
#include <QMenu>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QtTest>

#include "app/window/conversation_text.h"
#include "app/window/main_window.h"

using namespace vitrine;
using namespace vitrine::window;

class TestWindowChat : public QObject {
    Q_OBJECT

    static constexpr int patience_ms = 120000;
    QTemporaryDir scratch_;

    WindowOptions options() const {
        WindowOptions options;
        options.session = scratch_.filePath("test.vitrine").toStdString();
        options.model.name = scratch_.filePath("hub/models--org--talks/snapshots/abcdef0").toStdString();
        options.model.device = "cpu";
        options.model_given = true;
        return options;
    }

    static std::string contents(const TypedConversation& typed) {
        std::string all;
        for (const Json& message : typed.conversation.messages)
            all += message["role"].get<std::string>() + "=" + message["content"].get<std::string>() + "|";
        return all;
    }

private slots:
    void initTestCase() {
        QStandardPaths::setTestModeEnabled(true);
        QCoreApplication::setOrganizationName("vitrine-test-chat");
        qputenv("VITRINE_RESOURCES", VITRINE_RESOURCES);
        qputenv("HF_HUB_CACHE", scratch_.filePath("hub").toUtf8());
        qputenv("OLLAMA_MODELS", scratch_.filePath("none").toUtf8());
        // The default model, in a store and with a template of its own.
        const QString folder = QString::fromStdString(options().model.name);
        QVERIFY(QDir().mkpath(folder));
        const QDir source(QStringLiteral(VITRINE_RESOURCES "/models/vitrine-tiny"));
        for (const QString& name : source.entryList(QDir::Files))
            QVERIFY(QFile::link(source.absoluteFilePath(name), folder + "/" + name));
        QFile jinja(folder + "/chat_template.jinja");
        QVERIFY(jinja.open(QIODevice::WriteOnly));
        jinja.write("{% for m in messages %}<{{ m.role }}> {{ m.content }}\n{% endfor %}"
                    "{% if add_generation_prompt %}<assistant>{% endif %}");
    }

    void typed_lines_are_messages() {
        QCOMPARE(contents(*read_conversation("Hello\nthere")), std::string("user=Hello\nthere|"));
        QCOMPARE(contents(*read_conversation("system: be\n brief\nuser:Hi\n\nassistant: yes\nusers: no")),
                 std::string("system=be\n brief|user=Hi|assistant=yes\nusers: no|"));
        QCOMPARE(contents(*read_conversation("before\nuser: after")), std::string("user=before|user=after|"));
        QCOMPARE(contents(*read_conversation("[{\"role\":\"user\",\"content\":\"x\"}]")),
                 std::string("user=x|"));
        QVERIFY(read_conversation("[{").error().code == Code::malformed);
        QVERIFY(read_conversation("")->conversation.messages.empty());
        const auto typed = read_conversation("user: a\nassistant: bc");
        QCOMPARE(typed->words[1].begin, std::size_t{19});
        QVERIFY(ends_with_assistant(typed->conversation));
        QVERIFY(!ends_with_assistant(read_conversation("a")->conversation));
    }

    void a_conversation_is_run_and_comes_back() {
        std::vector<std::int32_t> ids;
        {
            MainWindow window(options());
            window.resize(1366, 768);
            window.show();
            QTRY_VERIFY_WITH_TIMEOUT(window.runner().has_chat() && window.idle() && window.desk().a(),
                                     patience_ms);
            std::vector<views::TokenRole> roles;
            std::vector<tokenizer::Token> spans;
            connect(&window.runner(), &Runner::encoded, this, [&](const Encoded& encoded) {
                roles = encoded.roles;
                spans = encoded.spans;
            });
            window.runner().change_form({true, tokenizer::Specials::by_template});
            window.prompt().editor()->setPlainText("The ship sailed\nassistant: It did\nuser: Where");
            QTRY_VERIFY_WITH_TIMEOUT(window.desk().a()->prompt.endsWith("Where") && window.idle(),
                                     patience_ms);
            for (const figure::Token& token : window.desk().a()->tokens)
                ids.push_back(token.id);
            std::vector<std::int32_t> expected;
            const auto written = window.bench().model()->tokenizer->encode(
                "<user> The ship sailed\n<assistant> It did\n<user> Where\n<assistant>",
                tokenizer::Specials::none);
            for (const tokenizer::Token& token : *written)
                expected.push_back(token.id);
            QCOMPARE(ids, expected);
            QCOMPARE(roles.size(), std::size_t{4});
            QCOMPARE(roles[1].name, QStringLiteral("assistant"));
            QCOMPARE(roles[0].first, 0);
            QCOMPARE(roles[1].first, roles[0].last + 1);
            QCOMPARE(roles[3].last, static_cast<int>(ids.size()) - 1);
            // " sailed" is underlined where it was typed.
            QVERIFY(std::any_of(spans.begin(), spans.end(), [](const tokenizer::Token& token) {
                return token.end == 15 && token.start >= 8 && token.start < 15;
            }));

            QSignalSpy generated(&window.runner(), &Runner::generated);
            window.runner().generate(3);
            QTRY_VERIFY_WITH_TIMEOUT(generated.count() > 0 && window.idle(), patience_ms);
            QVERIFY(window.prompt().editor()->toPlainText().startsWith(
                "The ship sailed\nassistant: It did\nuser: Where\nassistant: "));
            QSignalSpy refused(&window.runner(), &Runner::refused);
            window.runner().generate(3);
            QVERIFY(refused.last().first().toString().contains("last word"));
            window.prompt().editor()->setPlainText("The ship sailed\nassistant: It did\nuser: Where");
            QTRY_VERIFY_WITH_TIMEOUT(window.desk().a()->prompt.endsWith("Where") && window.idle(),
                                     patience_ms);
            window.close();
        }
        MainWindow window(options());
        window.show();
        QTRY_VERIFY_WITH_TIMEOUT(window.desk().a() && window.idle() && window.runner().has_chat(),
                                 patience_ms);
        QVERIFY(window.runner().form().chat);
        QTRY_COMPARE_WITH_TIMEOUT(static_cast<std::size_t>(window.desk().a()->size()), ids.size(),
                                  patience_ms);
        for (std::size_t i = 0; i < ids.size(); ++i)
            QCOMPARE(window.desk().a()->tokens[i].id, ids[i]);
    }

    void stores_are_in_the_menu() {
        MainWindow window(options());
        window.show();
        QTRY_VERIFY_WITH_TIMEOUT(window.idle() && window.bench().model(), patience_ms);
        auto* top = window.findChild<TopBar*>();
        const auto entry = [&]() -> QAction* {
            for (QMenu* candidate : top->findChildren<QMenu*>())
                for (QAction* action : candidate->actions())
                    if (action->text().startsWith("org/talks\t")) return action;
            return nullptr;
        };
        // The listing arrives a little after the menu was opened, and is there when it opens again.
        const auto opened_again = [&] {
            for (QMenu* candidate : top->findChildren<QMenu*>())
                emit candidate->aboutToShow();
            QTest::qWait(200);
            return entry() != nullptr;
        };
        QTRY_VERIFY_WITH_TIMEOUT(opened_again(), patience_ms);
        QVERIFY(entry()->text().endsWith(" MB"));
        QVERIFY(entry()->isEnabled());
        entry()->trigger();
        QTRY_COMPARE_WITH_TIMEOUT(QString::fromStdString(window.bench().model()->request.name),
                                  QStringLiteral("org/talks"), patience_ms);
    }
};

QTEST_MAIN(TestWindowChat)
#include "test_window_chat.moc"
