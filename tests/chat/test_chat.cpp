// Chat templates against `transformers`, and a sentence with its line for each that is wrong.
#include <QtTest>

#include <fmt/format.h>

#include "core/chat/chat_template.h"
#include "tests/tokenizer/xz.h"

using namespace vitrine;
using namespace vitrine::chat;

class TestChat : public QObject {
    Q_OBJECT

    static std::string error_of(const char* source) {
        const auto parsed = ChatTemplate::parse(source);
        if (!parsed) return parsed.error().message;
        const Conversation talk{Json::parse("[{\"role\":\"user\",\"content\":\"hi\"}]"), Json::object()};
        const auto rendered = parsed->render(talk, Json::object(), {});
        return rendered ? std::string("none") : rendered.error().message;
    }

private slots:
    void conversations_are_those_of_transformers() {
        const auto path = std::filesystem::path(VITRINE_FIXTURES) / "chat" / "chat.json.xz";
        const Json cases = *parse_json(read_xz(path), "chat");
        std::tm noon{};
        noon.tm_year = 124;
        noon.tm_mon = 6;
        noon.tm_mday = 26;
        noon.tm_hour = 12;
        const std::time_t now = std::mktime(&noon);
        int compared = 0;
        for (const auto& entry : cases) {
            const auto parsed = ChatTemplate::parse(entry["template"].get<std::string>());
            QVERIFY2(parsed, parsed ? "" : parsed.error().message.c_str());
            for (const auto& row : entry["rows"]) {
                const Conversation talk{row["messages"], row["extra"]};
                const auto rendered =
                    parsed->render(talk, entry["special"], {row["generation"].get<bool>(), now});
                ++compared;
                if (row.contains("error")) {
                    QVERIFY(!rendered);
                    QVERIFY(rendered.error().message.find(row["error"].get<std::string>()) !=
                            std::string::npos);
                    continue;
                }
                QVERIFY2(rendered, rendered ? "" : rendered.error().message.c_str());
                QCOMPARE(QString::fromStdString(rendered->text),
                         QString::fromStdString(row["text"].get<std::string>()));
            }
        }
        QCOMPARE(compared, 300);
    }

    void roles_are_marked() {
        const auto parsed = ChatTemplate::parse(
            "{{ bos_token }}{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}"
            "{% if add_generation_prompt %}[assistant]{% endif %}");
        const Conversation talk{
            Json::parse(
                "[{\"role\":\"user\",\"content\":\"hi\"},{\"role\":\"assistant\",\"content\":\"yo\"}]"),
            Json::object()};
        const auto rendered = parsed->render(talk, Json{{"bos_token", "<s>"}}, {true, {}});
        QCOMPARE(rendered->text, std::string("<s>[user]hi[assistant]yo[assistant]"));
        const std::vector<RoleSpan> expected{{"user", 3, 11}, {"assistant", 11, 24}, {"assistant", 24, 35}};
        QVERIFY(rendered->roles == expected);
    }

    void nothing_is_chosen_from_nothing() {
        const auto parsed = ChatTemplate::parse("{{ tools | selectattr('type', 'equalto', 'x') | list | "
                                                "length }}{{ none | map(attribute='a') | list }}"
                                                "{{ nowhere | reject('none') | list }}");
        const Conversation talk{Json::parse("[{\"role\":\"user\"}]"), Json::object()};
        QCOMPARE(parsed->render(talk, Json::object(), {})->text, std::string("0[][]"));
    }

    void what_is_wrong_names_its_line() {
        QVERIFY(error_of("a\n\n{% if %}").find("line 3") != std::string::npos);
        QVERIFY(error_of("\n{{ 'a }}").find("line 2") != std::string::npos);
        QVERIFY(error_of("{% for m in messages %}").find("endfor") != std::string::npos);
        QVERIFY(error_of("{% include 'x' %}").find("\"include\"") != std::string::npos);
        QVERIFY(error_of("\n{{ 1 | pprint }}").find("line 2") != std::string::npos);
        QVERIFY(error_of("{{ nothing.x }}").find("\"nothing\" is undefined") != std::string::npos);
        QVERIFY(error_of("{{ raise_exception('no') }}").find("refuses this conversation (line 1): no") !=
                std::string::npos);
    }

    void what_has_no_end_is_stopped() {
        QVERIFY(error_of("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}") != "none");
        QVERIFY(error_of("{% set n = namespace() %}{% set n.a = n %}{{ n }}") != "none");
        QVERIFY(
            error_of(
                "{% set n = namespace(a=1) %}{% for i in range(9999) %}{% set n.a = [n.a] %}{% endfor %}") !=
            "none");
        QVERIFY(error_of(("{{ " + std::string(5000, '(') + " }}").c_str()) != "none");
        std::string sum = "{{ 1";
        for (int i = 0; i < 20000; ++i)
            sum += "+1";
        QVERIFY(error_of((sum + " }}").c_str()) != "none");
    }

    void what_grows_without_end_is_stopped() {
        const auto repeated = [](const char* first, const char* step, const char* last) {
            return error_of(
                fmt::format("{{% set n = namespace(a={}, b={}) %}}{{% for i in range(99) %}}{{% set "
                            "n.a = {} %}}{{% endfor %}}{{{{ {} }}}}",
                            first, first, step, last)
                    .c_str());
        };
        for (const char* last : {"n.a", "n.a == n.b", "n.a | tojson", "n.a | length"}) {
            QVERIFY(repeated("[1]", "n.a + n.a", last).find("too large a value") != std::string::npos);
            QVERIFY(repeated("[1]", "[n.a, n.a]", last).find("too large a value") != std::string::npos);
            QVERIFY(repeated("'x'", "n.a ~ n.a", last).find("too large a value") != std::string::npos);
            QVERIFY(repeated("'xx'", "n.a | replace('x', n.a)", last).find("too large a value") !=
                    std::string::npos);
            QVERIFY(repeated("'xx'", "n.a | replace('', n.a)", last).find("too large a value") !=
                    std::string::npos);
            QVERIFY(repeated("'xx'", "n.a | join(n.a)", last).find("too large a value") != std::string::npos);
        }
        QVERIFY(error_of("{% set n = namespace() %}{{ [n, n] }}").find("namespace") != std::string::npos);
        std::string maps = "{{ 'a' | map('map'";
        for (int i = 0; i < 300; ++i)
            maps += ",'map'";
        const std::string error = error_of((maps + ") | list }}").c_str());
        QVERIFY2(error.find("too many arguments") != std::string::npos, error.c_str());
    }

    void numbers_out_of_range_are_no_crash() {
        QVERIFY(error_of("{{ range(1e300, -1e300, 1e300) }}") == "none");
        QVERIFY(error_of("{{ (1e308 * 10 - 1e308 * 10) | int }}{{ 1e300 | int }}{{ '1e300' | int }}") ==
                "none");
        const auto parsed = ChatTemplate::parse("{{ 'aaa'.replace('a', 'b', messages[0].n) }}");
        const Conversation talk{Json::parse("[{\"role\":\"user\",\"n\":-9223372036854775808}]"),
                                Json::object()};
        QCOMPARE(parsed->render(talk, Json::object(), {})->text, std::string("bbb"));
        QVERIFY(!ChatTemplate::parse("{{ messages[0].n | abs }}")->render(talk, Json::object(), {}));
    }

    void text_that_is_not_utf8_is_refused() {
        QVERIFY(error_of("{{ '\xE2' }}").find("UTF-8") != std::string::npos);
    }
};

QTEST_GUILESS_MAIN(TestChat)
#include "test_chat.moc"
