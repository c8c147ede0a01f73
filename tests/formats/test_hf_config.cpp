// Reading the description of a model in a Hugging Face folder, and refusing what is none.
#include <algorithm>
#include <fstream>

#include <QTemporaryDir>
#include <QtTest>

#include "core/formats/hf_config.h"

using namespace vitrine;
using namespace vitrine::formats;
namespace fs = std::filesystem;

class TestHfConfig : public QObject {
    Q_OBJECT

    QTemporaryDir temporary_;
    fs::path folder_ = temporary_.path().toStdString();

private slots:
    void a_model_folder_opens() {
        const auto folder = open_hf_folder(fs::path(VITRINE_FIXTURES) / "models" / "gpt2-random");
        QVERIFY2(folder, folder ? "" : folder.error().message.c_str());
        QCOMPARE(folder->config["model_type"].get<std::string>(), std::string("gpt2"));
        QVERIFY(folder->generation_config && folder->generation_config->is_object());
        QVERIFY(folder->tokenizer_files.empty());
    }

    void tokenizer_files_are_listed() {
        std::ofstream(folder_ / "config.json") << "{}";
        std::ofstream(folder_ / "merges.txt") << "x";
        std::ofstream(folder_ / "vocab.json") << "{}";
        const auto folder = open_hf_folder(folder_);
        QVERIFY(folder && !folder->generation_config);
        QCOMPARE(folder->tokenizer_files,
                 (std::vector<fs::path>{folder_ / "vocab.json", folder_ / "merges.txt"}));
        for (const char* name : {"added_tokens.json", "spiece.model", "sentencepiece.bpe.model"}) {
            std::ofstream(folder_ / name) << "x";
            const auto found = tokenizer_files_in(folder_);
            QVERIFY2(std::find(found.begin(), found.end(), folder_ / name) != found.end(), name);
        }
    }

    void settings_alone_are_no_vocabulary() {
        const fs::path folder = folder_ / "settings";
        fs::create_directory(folder);
        std::ofstream(folder / "tokenizer_config.json") << "{}";
        std::ofstream(folder / "special_tokens_map.json") << "{}";
        QVERIFY(!has_vocabulary(folder));
        std::ofstream(folder / "tokenizer.model") << "x";
        QVERIFY(has_vocabulary(folder));
    }

    void bad_folders_data() {
        QTest::addColumn<QString>("config");
        QTest::addColumn<QString>("generation");
        QTest::addColumn<Code>("code");
        QTest::addColumn<QString>("says");
        QTest::newRow("no config") << ""
                                   << "" << Code::not_found << "has no config.json";
        QTest::newRow("broken") << "{\n1"
                                << "" << Code::malformed << "config.json is not valid JSON: line 2";
        QTest::newRow("brackets") << QString(100000, '[') << "" << Code::too_large << "nested deeper";
        QTest::newRow("a list") << "[]"
                                << "" << Code::malformed << "must hold a JSON object";
        QTest::newRow("broken generation") << "{}"
                                           << "{" << Code::malformed << "generation_config.json is not";
    }

    void bad_folders() {
        QFETCH(QString, config);
        QFETCH(QString, generation);
        QFETCH(QString, says);
        const fs::path folder = folder_ / "bad";
        fs::remove_all(folder);
        fs::create_directory(folder);
        if (!config.isEmpty()) std::ofstream(folder / "config.json") << config.toStdString();
        if (!generation.isEmpty())
            std::ofstream(folder / "generation_config.json") << generation.toStdString();
        const auto opened = open_hf_folder(folder);
        QVERIFY(!opened);
        QTEST(opened.error().code, "code");
        QVERIFY2(QString::fromStdString(opened.error().message).contains(says),
                 opened.error().message.c_str());
    }

    void what_is_no_folder_is_refused() {
        QCOMPARE(open_hf_folder(folder_ / "missing").error().code, Code::not_found);
        std::ofstream(folder_ / "file") << "x";
        QCOMPARE(open_hf_folder(folder_ / "file").error().code, Code::io);
    }
};

QTEST_GUILESS_MAIN(TestHfConfig)
#include "test_hf_config.moc"
