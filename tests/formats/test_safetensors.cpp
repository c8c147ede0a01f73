// The safetensors reader: what a good file gives, and one clear sentence for each lie a file can tell.
#include <algorithm>
#include <fstream>

#include <QTemporaryDir>
#include <QtTest>

#include "core/base/hash.h"
#include "core/formats/tensor_files.h"
#include "core/formats/weights_hash.h"

using namespace vitrine;
using namespace vitrine::formats;
namespace fs = std::filesystem;

namespace {

std::string little_endian(std::uint64_t number) {
    std::string bytes;
    for (int i = 0; i < 8; ++i)
        bytes += static_cast<char>(number >> (8 * i));
    return bytes;
}

/// JSON with ' for ": moc does not survive raw string literals.
std::string json(std::string text) {
    std::replace(text.begin(), text.end(), '\'', '"');
    return text;
}

std::string with_header(const std::string& header, const std::string& data) {
    return little_endian(header.size()) + json(header) + data;
}

void write_file(const fs::path& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

std::string one_tensor(const std::string& dtype, const std::string& shape, const std::string& offsets) {
    return "{'w':{'dtype':'" + dtype + "','shape':" + shape + ",'data_offsets':" + offsets + "}}";
}

const char* const two_tensors = "{'__metadata__':{'format':'pt'},"
                                "'b':{'dtype':'F16','shape':[2],'data_offsets':[12,16]},"
                                "'a':{'dtype':'F32','shape':[3],'data_offsets':[0,12]}}  ";

} // namespace

class TestSafetensors : public QObject {
    Q_OBJECT

    QTemporaryDir temporary_;
    fs::path folder_ = temporary_.path().toStdString();

private slots:
    void tensors_come_sorted_with_their_bytes() {
        const fs::path path = folder_ / "good.safetensors";
        const float values[3] = {1.5F, -2.0F, 0.25F};
        write_file(path, with_header(two_tensors, std::string(reinterpret_cast<const char*>(values), 12) +
                                                      std::string("\x00\x3C\x00\xC0", 4)));
        const auto opened = TensorFiles::open(path);
        QVERIFY2(opened, opened ? "" : opened.error().message.c_str());
        QCOMPARE(opened->tensors().size(), std::size_t{2});
        QCOMPARE(opened->tensors()[0].name, std::string("a"));
        const auto* a = opened->find("a");
        QVERIFY(a != nullptr && a->view.shape == Shape{3} && a->view.dtype == DType::f32);
        std::vector<float> read(3);
        widen(a->view.dtype, a->view.data, read);
        QCOMPARE(read, std::vector<float>(values, values + 3));
        opened->drop(a->view);
        read.resize(2);
        widen(opened->find("b")->view.dtype, opened->find("b")->view.data, read);
        QCOMPARE(read, (std::vector<float>{1.0F, -2.0F}));
        QVERIFY(opened->find("c") == nullptr);
    }

    void scalars_and_empty_tensors_are_tensors() {
        const fs::path path = folder_ / "scalars.safetensors";
        write_file(path, with_header("{'e':{'dtype':'I64','shape':[0,7],'data_offsets':[1,1]},"
                                     "'s':{'dtype':'BOOL','shape':[],'data_offsets':[0,1]}}",
                                     "\x01"));
        const auto opened = TensorFiles::open(path);
        QVERIFY2(opened, opened ? "" : opened.error().message.c_str());
        QCOMPARE(opened->find("s")->view.size(), std::int64_t{1});
        QCOMPARE(opened->find("e")->view.size(), std::int64_t{0});
    }

    void bad_files_data() {
        QTest::addColumn<QByteArray>("bytes");
        QTest::addColumn<QString>("says");
        const auto row = [](const char* name, const std::string& bytes, const char* says) {
            QTest::newRow(name) << QByteArray(bytes.data(), static_cast<qsizetype>(bytes.size()))
                                << QString::fromLatin1(says);
        };
        const std::string data(16, 'x');
        row("empty", "", "too few");
        row("seven bytes", "1234567", "too few");
        row("header longer than file", little_endian(1000) + "{}", "is truncated");
        row("header of 2^60 bytes", little_endian(1ULL << 60) + "{}", "100,000,000");
        row("no JSON", with_header("{\"w\":", ""), "not valid JSON at byte");
        row("rest after JSON", with_header("{} x", ""), "not valid JSON at byte");
        row("broken UTF-8", with_header("{\"\xFF\":1}", ""), "not valid JSON at byte");
        row("an array", with_header("[]", ""), "does not begin with {");
        row("leading space", with_header(" {}", ""), "does not begin with {");
        row("empty header", with_header("", ""), "does not begin with {");
        row("tensor is a number", with_header("{'w':3}", ""), "\"w\" has a value of the wrong type");
        row("lacks shape", with_header("{'w':{'dtype':'F32','data_offsets':[0,16]}}", data), "lacks");
        row("unknown type", with_header(one_tensor("F8_E4M3", "[16]", "[0,16]"), data), "\"F8_E4M3\"");
        row("type is no text", with_header("{'w':{'dtype':4,'shape':[4],'data_offsets':[0,16]}}", data),
            "wrong type");
        row("wrong type for its bytes", with_header(one_tensor("F64", "[4]", "[0,16]"), data), "need 32");
        row("wrong shape", with_header(one_tensor("F32", "[5]", "[0,16]"), data), "need 20");
        row("negative axis", with_header(one_tensor("F32", "[-4]", "[0,16]"), data), "wrong type");
        row("axis with fraction", with_header(one_tensor("F32", "[4.0]", "[0,16]"), data), "wrong type");
        row("nested shape", with_header(one_tensor("F32", "[[4]]", "[0,16]"), data), "wrong type");
        row("2^60 elements", with_header(one_tensor("F32", "[1152921504606846976]", "[0,16]"), data), "need");
        row("2^120 elements",
            with_header(one_tensor("F32", "[1152921504606846976,1152921504606846976]", "[0,16]"), data),
            "more than 2^63");
        row("axis beyond 2^63", with_header(one_tensor("F32", "[0,18446744073709551615]", "[0,0]"), ""),
            "more than 2^63");
        row("axis beyond 2^64", with_header(one_tensor("F32", "[99999999999999999999]", "[0,16]"), data),
            "wrong type");
        row("one offset", with_header(one_tensor("F32", "[4]", "[16]"), data), "not [begin, end]");
        row("end before begin", with_header(one_tensor("F32", "[4]", "[16,0]"), data), "not [begin, end]");
        row("data cut off", with_header(one_tensor("F32", "[8]", "[0,32]"), data),
            "ends at data byte 32 of 16");
        row("offset 2^64-1", with_header(one_tensor("F32", "[4]", "[0,18446744073709551615]"), data),
            "ends at");
        row("overlap",
            with_header("{'a':{'dtype':'U8','shape':[10],'data_offsets':[0,10]},"
                        "'b':{'dtype':'U8','shape':[8],'data_offsets':[8,16]}}",
                        data),
            "\"b\" overlaps");
        row("hole", with_header(one_tensor("U8", "[8]", "[8,16]"), data), "8 bytes before");
        row("bytes left over", with_header(one_tensor("U8", "[8]", "[0,8]"), data), "8 bytes at the end");
        row("same name twice",
            with_header("{'w':{'dtype':'U8','shape':[8],'data_offsets':[0,8]},"
                        "'w':{'dtype':'U8','shape':[8],'data_offsets':[8,16]}}",
                        data),
            "\"w\" is there twice");
        row("same member twice",
            with_header("{'w':{'dtype':'U8','dtype':'I8','shape':[16],'data_offsets':[0,16]}}", data),
            "has \"dtype\" twice");
        row("metadata of numbers", with_header("{'__metadata__':{'a':1}}", ""), "__metadata__");
    }

    void bad_files() {
        QFETCH(QByteArray, bytes);
        QFETCH(QString, says);
        const fs::path path = folder_ / "bad.safetensors";
        write_file(path, bytes.toStdString());
        const auto opened = TensorFiles::open(path);
        QVERIFY(!opened);
        const QString message = QString::fromStdString(opened.error().message);
        QVERIFY2(message.contains(says), qPrintable(message));
        QVERIFY2(message.contains("bad.safetensors") && message.endsWith('.'), qPrintable(message));
    }

    void unknown_members_are_passed_over() {
        const fs::path path = folder_ / "extra.safetensors";
        write_file(path, with_header("{'w':{'note':{'a':[1,{'dtype':3}],'b':null},'dtype':'U8','x':1,"
                                     "'shape':[1],'data_offsets':[0,1],'y':[[]]}}",
                                     "x"));
        const auto opened = TensorFiles::open(path);
        QVERIFY2(opened, opened ? "" : opened.error().message.c_str());
        QCOMPARE(opened->find("w")->view.dtype, DType::u8);
    }

    void a_folder_is_sharded_by_its_index() {
        const auto opened = TensorFiles::open(fs::path(VITRINE_FIXTURES) / "models" / "llama-random");
        QVERIFY2(opened, opened ? "" : opened.error().message.c_str());
        QCOMPARE(opened->files().size(), std::size_t{2});
        QVERIFY(opened->find("model.embed_tokens.weight") != nullptr);
        QVERIFY(opened->find("lm_head.weight") != nullptr);
    }

    void bad_folders_data() {
        QTest::addColumn<QString>("index");
        QTest::addColumn<QString>("says");
        QTest::newRow("no index") << ""
                                  << "neither model.safetensors nor";
        QTest::newRow("broken JSON") << "{"
                                     << "not valid JSON";
        QTest::newRow("no map") << "{}"
                                << "no \"weight_map\"";
        QTest::newRow("an array") << "[1]"
                                  << "no \"weight_map\"";
        QTest::newRow("a number as file") << "{'weight_map':{'w':1}}"
                                          << "no file name for tensor \"w\"";
        QTest::newRow("leads up") << "{'weight_map':{'w':'../good.safetensors'}}"
                                  << "outside";
        QTest::newRow("leads up within") << "{'weight_map':{'w':'a/../../good.safetensors'}}"
                                         << "outside";
        QTest::newRow("absolute") << "{'weight_map':{'w':'/etc/passwd'}}"
                                  << "outside";
        QTest::newRow("no shard") << "{'weight_map':{'w':'gone.safetensors'}}"
                                  << "The shard gone.safetensors named by";
        QTest::newRow("tensor not in shard") << "{'weight_map':{'w':'part.safetensors'}}"
                                             << "no tensor \"w\"";
    }

    void bad_folders() {
        QFETCH(QString, index);
        QFETCH(QString, says);
        const fs::path model = folder_ / "model";
        fs::remove_all(model);
        fs::create_directory(model);
        write_file(model / "part.safetensors", with_header("{}", ""));
        if (!index.isEmpty()) write_file(model / "model.safetensors.index.json", json(index.toStdString()));
        const auto opened = TensorFiles::open(model);
        QVERIFY(!opened);
        const QString message = QString::fromStdString(opened.error().message);
        QVERIFY2(message.contains(says), qPrintable(message));
    }

    void shards_may_be_symbolic_links() {
        const fs::path model = folder_ / "linked";
        fs::create_directory(model);
        write_file(folder_ / "blob", with_header(one_tensor("U8", "[1]", "[0,1]"), "x"));
        fs::create_symlink("../blob", model / "part.safetensors");
        write_file(model / "model.safetensors.index.json", json("{'weight_map':{'w':'part.safetensors'}}"));
        QVERIFY(TensorFiles::open(model));
    }

    void the_hash_is_that_of_the_documented_layout() {
        const fs::path path = folder_ / "hash.safetensors";
        write_file(path, with_header(one_tensor("I16", "[2,1]", "[0,4]"), "abcd"));
        const auto files = TensorFiles::open(path);
        QVERIFY(files);
        const std::string layout = little_endian(1) + "w" + little_endian(5) + "int16" + little_endian(2) +
                                   little_endian(2) + little_endian(1) + "abcd";
        QCOMPARE(*weights_hash(*files), sha256(layout));
    }

    void the_hash_does_not_depend_on_shards() {
        const auto part = [](const char* name, const char* offsets) {
            return std::string("'") + name + "':{'dtype':'U8','shape':[2],'data_offsets':" + offsets + "}";
        };
        const fs::path whole = folder_ / "whole.safetensors";
        write_file(whole, with_header("{" + part("b", "[0,2]") + "," + part("a", "[2,4]") + "}", "bbaa"));
        const fs::path model = folder_ / "parts";
        fs::create_directory(model);
        write_file(model / "1.safetensors", with_header("{" + part("a", "[0,2]") + "}", "aa"));
        write_file(model / "2.safetensors", with_header("{" + part("b", "[0,2]") + "}", "bb"));
        write_file(model / "model.safetensors.index.json",
                   json("{'weight_map':{'a':'1.safetensors','b':'2.safetensors'}}"));
        QCOMPARE(*weights_hash(*TensorFiles::open(whole)), *weights_hash(*TensorFiles::open(model)));
    }

    void the_cache_knows_a_file_until_it_changes() {
        const fs::path path = folder_ / "cached.safetensors";
        const fs::path cache = folder_ / "cache";
        write_file(path, with_header(one_tensor("U8", "[1]", "[0,1]"), "x"));
        const std::string first = *cached_weights_hash(*TensorFiles::open(path), cache);
        QCOMPARE(first, *weights_hash(*TensorFiles::open(path)));
        // Only a remembered hash can be a forged one.
        const fs::path entry = fs::directory_iterator(cache)->path();
        const std::string forged(64, 'a');
        write_file(entry, forged);
        QCOMPARE(*cached_weights_hash(*TensorFiles::open(path), cache), forged);
        write_file(path, with_header(one_tensor("U8", "[2]", "[0,2]"), "xy"));
        QVERIFY(*cached_weights_hash(*TensorFiles::open(path), cache) != forged);
    }

    void a_cancelled_hash_is_an_error() {
        const auto files = TensorFiles::open(fs::path(VITRINE_FIXTURES) / "models" / "llama-random");
        CancelToken cancel;
        cancel.cancel();
        QCOMPARE(weights_hash(*files, cancel).error().code, Code::cancelled);
    }
};

QTEST_GUILESS_MAIN(TestSafetensors)
#include "test_safetensors.moc"
