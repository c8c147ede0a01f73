// Each component of tokenizer.json, set in each way, against the `tokenizers` library.
#include <fmt/format.h>

#include <QtTest>

#include "core/base/json.h"
#include "core/tokenizer/tokenizer.h"
#include "tests/tokenizer/xz.h"

using namespace vitrine;
using namespace vitrine::tokenizer;

namespace {

std::string shown(const std::vector<std::int32_t>& ids, const std::vector<std::uint32_t>& starts,
                  const std::vector<std::uint32_t>& ends) {
    std::string text;
    for (std::size_t i = 0; i < ids.size(); ++i)
        text += fmt::format(" {}[{},{}]", ids[i], starts[i], ends[i]);
    return text;
}

} // namespace

class TestTokenizerComponents : public QObject {
    Q_OBJECT

    Json components_;
    Json kinds_;

    static int count_wrong(const Tokenizer& tokenizer, const Json& rows, Specials specials) {
        int wrong = 0;
        for (const auto& row : rows) {
            const auto text = row[0].get<std::string>();
            const auto tokens = tokenizer.encode(text, specials);
            std::vector<std::int32_t> ids;
            std::vector<std::uint32_t> starts;
            std::vector<std::uint32_t> ends;
            for (const auto& token : tokens.value()) {
                ids.push_back(token.id);
                starts.push_back(token.start);
                ends.push_back(token.end);
            }
            const std::string expected = shown(row[1], row[2], row[3]);
            const std::string decoded = tokenizer.decode(row[1].get<std::vector<std::int32_t>>(), false);
            const std::string expected_text = row[4].is_null() ? text : row[4].get<std::string>();
            if (shown(ids, starts, ends) == expected && decoded == expected_text) continue;
            if (++wrong > 3) continue;
            qWarning().noquote() << QString::fromStdString(dump_json(text)).left(200) << "\n expected"
                                 << QString::fromStdString(expected).left(400) << "\n      got"
                                 << QString::fromStdString(shown(ids, starts, ends)).left(400) << "\n decoded"
                                 << QString::fromStdString(dump_json(decoded)).left(200) << "\n  wanted"
                                 << QString::fromStdString(dump_json(expected_text)).left(200);
        }
        return wrong;
    }

private slots:
    void initTestCase() {
        const auto folder = std::filesystem::path(VITRINE_FIXTURES) / "tokenizer";
        components_ = *parse_json(read_xz(folder / "components.json.xz"), "components");
        kinds_ = *parse_json(read_xz(folder / "kinds.json.xz"), "kinds");
    }

    void tokens_are_those_of_the_library_data() {
        QTest::addColumn<bool>("is_kind");
        QTest::addColumn<int>("index");
        for (const bool is_kind : {false, true}) {
            int index = 0;
            for (const auto& entry : (is_kind ? kinds_ : components_)["cases"])
                QTest::newRow(entry["name"].get_ref<const std::string&>().c_str()) << is_kind << index++;
        }
    }

    void tokens_are_those_of_the_library() {
        QFETCH(bool, is_kind);
        QFETCH(int, index);
        const Json& fixture = is_kind ? kinds_ : components_;
        const Json& entry = fixture["cases"][static_cast<std::size_t>(index)];
        Json json = entry["tokenizer"];
        json["model"] = fixture["models"][entry["model"].get<std::size_t>()];
        const auto tokenizer = Tokenizer::from_json(dump_json(json), "tokenizer.json");
        QVERIFY2(tokenizer, tokenizer ? "" : tokenizer.error().message.c_str());
        QCOMPARE(count_wrong(*tokenizer, entry["rows"], Specials::by_template), 0);
        QCOMPARE(count_wrong(*tokenizer, entry["bare"], Specials::none), 0);
    }
};

QTEST_GUILESS_MAIN(TestTokenizerComponents)
#include "test_tokenizer_components.moc"
