// A session that travels: whole, checked, and unable to write outside its folder.
#include <fstream>

#include <QtTest>

#include <SQLiteCpp/Database.h>
#include <zip.h>

#include "core/base/hash.h"
#include "core/session/bundle.h"
#include "core/store/activation_reader.h"
#include "tests/session/session_test_tools.h"

using namespace vitrine;
using namespace vitrine::session;
namespace fs = std::filesystem;

namespace {

struct Entry {
    std::string name;
    std::string bytes;
};

/// A zip as anybody could make it.
void write_zip(const fs::path& file, const std::vector<Entry>& entries) {
    int code = 0;
    zip_t* const zip = zip_open(file.c_str(), ZIP_CREATE | ZIP_TRUNCATE, &code);
    for (const Entry& entry : entries)
        zip_file_add(zip, entry.name.c_str(),
                     zip_source_buffer(zip, entry.bytes.data(), entry.bytes.size(), 0), 0);
    zip_close(zip);
}

/// The manifest that belongs to the entries.
Entry manifest(const std::vector<Entry>& entries) {
    Json files = Json::array();
    for (const Entry& entry : entries)
        files.push_back(
            {{"name", entry.name}, {"bytes", entry.bytes.size()}, {"sha256", sha256(entry.bytes)}});
    return {"manifest.json", dump_json({{"format", "vitrine-session"}, {"version", 1}, {"files", files}})};
}

std::string bytes_of(const fs::path& file) {
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
}

} // namespace

class TestBundle : public QObject {
    Q_OBJECT
    QTemporaryDir dir_;
    std::string journal_; ///< a journal without steps
    fs::path at(const std::string& name) const { return fs::path(dir_.path().toStdString()) / name; }

    /// Imports a zip of these entries; the code of the refusal. Nothing of it is left.
    Code refusal(const std::vector<Entry>& entries) {
        write_zip(at("bad.zip"), entries);
        fs::create_directory(at("inner"));
        const auto imported = import_session(at("bad.zip"), at("inner/bad.vitrine"), {}, {});
        if (imported || !fs::is_empty(at("inner"))) return Code::internal;
        return imported.error().code;
    }

    Code refusal_of(const std::vector<Entry>& files) {
        std::vector<Entry> entries = files;
        entries.insert(entries.begin(), manifest(files));
        return refusal(entries);
    }

private slots:
    void initTestCase() {
        { QVERIFY(Session::create(at("plain.vitrine"))); }
        journal_ = bytes_of(at("plain.vitrine/session.sqlite"));
    }

    void a_session_travels() {
        auto session = Session::create(at("from.vitrine"));
        for (int i = 0; i < 3; ++i)
            QVERIFY(record(*session, a_run()));
        QVERIFY(session->set_view_state("window", Json{{"page", "lens"}}));
        // It is still open for writing: its last rows lie in the log, and a step runs.
        QVERIFY(session->begin_step(a_run()));
        const auto packed = export_session(at("from.vitrine/"), at("s.zip"), {}, {});
        QVERIFY(packed);
        QCOMPARE(packed->size(), std::size_t{4});
        QVERIFY(fs::file_size(at("s.zip")) < 100000); // six arrays of 40 kB of one number

        const auto unpacked = import_session(at("s.zip"), at("to.vitrine"), {}, {});
        QVERIFY2(unpacked, unpacked ? "" : unpacked.error().message.c_str());
        const auto copy = Session::open(at("to.vitrine"), Mode::read_write);
        QVERIFY(copy);
        QCOMPARE(copy->interrupted(), std::vector<std::int64_t>{4});
        QCOMPARE(copy->steps()->size(), std::size_t{4});
        QVERIFY(copy->damaged()->empty());
        QCOMPARE((**copy->view_state("window")).at("page").get<std::string>(), std::string("lens"));
        const auto reader = store::ActivationReader::open(copy->activation_file(3));
        QCOMPARE(reader->read("/row1/hook_embed")->data[5], 3.0F);
        QCOMPARE(session->steps()->back().status, StepStatus::running); // the original noticed nothing
    }

    void what_is_missing_is_not_exported() {
        auto session = Session::create(at("lacking.vitrine"));
        QVERIFY(record(*session, a_run()));
        fs::remove(session->activation_file(1));
        QVERIFY(!export_session(at("lacking.vitrine"), at("lacking.zip"), {}, {}));
        QVERIFY(!fs::exists(at("lacking.zip")));
        QCOMPARE(export_session(at("none.vitrine"), at("none.zip"), {}, {}).error().code, Code::not_found);
        QCOMPARE(export_session(at("from.vitrine"), at("no/such/s.zip"), {}, {}).error().code, Code::io);
    }

    void a_cancelled_export_leaves_nothing() {
        CancelToken cancel;
        cancel.cancel();
        QCOMPARE(export_session(at("from.vitrine"), at("cancelled.zip"), cancel, {}).error().code,
                 Code::cancelled);
        for (const auto& entry : fs::directory_iterator(at(""))) {
            QVERIFY(entry.path().extension() != ".tmp");
            QVERIFY(entry.path().filename() != "cancelled.zip");
        }
    }

    void names_that_lead_out_are_refused() {
        const Entry journal{"session.sqlite", journal_};
        for (const char* name :
             {"../evil", "activations/../../evil", "/tmp/evil", "activations/a/b.h5", "activations/..",
              "activations/", "activations\\evil", "other.txt", "writer.lock"})
            QCOMPARE(refusal_of({journal, {name, "x"}}), Code::malformed);
        QVERIFY(!fs::exists(at("evil")));
    }

    void what_does_not_match_the_manifest_is_refused() {
        const Entry journal{"session.sqlite", journal_};
        const Entry step{"activations/step-000001.h5", "abc"};
        Entry other = step;
        other.bytes = "abd";
        QCOMPARE(refusal({manifest({journal, step}), journal, other}), Code::malformed); // another hash
        other.bytes = "abcd";
        QCOMPARE(refusal({manifest({journal, step}), journal, other}), Code::malformed); // another length
        QCOMPARE(refusal({manifest({journal, step}), journal}), Code::malformed);        // missing
        QCOMPARE(refusal({manifest({journal}), journal, step}), Code::malformed);        // unnamed
        QCOMPARE(refusal({manifest({journal, step, step}), journal, step}), Code::malformed);
        QCOMPARE(refusal({manifest({step}), step}), Code::malformed); // no journal
        QCOMPARE(refusal({journal}), Code::malformed);                // no manifest
        QCOMPARE(refusal({{"manifest.json", "{"}, journal}), Code::malformed);
        QCOMPARE(refusal({{"manifest.json", "{}"}, journal}), Code::malformed);
        QCOMPARE(refusal({{"manifest.json", R"({"format":"vitrine-session","version":2})"}, journal}),
                 Code::unsupported);
        QCOMPARE(refusal_of({{"session.sqlite", "no database"}}), Code::malformed);
    }

    void a_journal_that_points_outside_is_refused() {
        { QVERIFY(Session::create(at("crafted.vitrine"))); }
        {
            SQLite::Database database(at("crafted.vitrine/session.sqlite").string(), SQLite::OPEN_READWRITE);
            database.exec("INSERT INTO device (id, name, detail) VALUES (1, '', '')");
            database.exec(
                "INSERT INTO step (seq, kind, spec_json, spec_hash, status, started, app_version, device, "
                "precision) VALUES (1, 'run', '{}', '', 'done', '', '', 1, 'exact')");
            database.exec(
                "INSERT INTO artifact (step, kind, file, dataset, dtype, shape, hash, bytes) VALUES "
                "(1, 'array', '../../secret.h5', '/a', 'float32', '[]', '', 4)");
        }
        QCOMPARE(refusal_of({{"session.sqlite", bytes_of(at("crafted.vitrine/session.sqlite"))}}),
                 Code::malformed);
        { QVERIFY(Session::create(at("trigger.vitrine"))); }
        SQLite::Database(at("trigger.vitrine/session.sqlite").string(), SQLite::OPEN_READWRITE)
            .exec("CREATE TRIGGER t AFTER INSERT ON step BEGIN DELETE FROM note; END");
        QCOMPARE(refusal_of({{"session.sqlite", bytes_of(at("trigger.vitrine/session.sqlite"))}}),
                 Code::malformed);
    }

    void what_is_no_bundle_is_refused() {
        std::ofstream(at("text.zip")) << "hello";
        QCOMPARE(import_session(at("text.zip"), at("a.vitrine"), {}, {}).error().code, Code::malformed);
        QCOMPARE(import_session(at("none.zip"), at("a.vitrine"), {}, {}).error().code, Code::not_found);
        QCOMPARE(import_session(at("s.zip"), at("from.vitrine"), {}, {}).error().code, Code::session);
        fs::copy_file(at("s.zip"), at("cut.zip"));
        fs::resize_file(at("cut.zip"), fs::file_size(at("cut.zip")) - 10);
        QCOMPARE(import_session(at("cut.zip"), at("a.vitrine"), {}, {}).error().code, Code::malformed);
        QVERIFY(!fs::exists(at("a.vitrine")));
    }

    void cleaning_keeps_what_steps_recorded() {
        {
            auto session = Session::create(at("clean.vitrine"));
            QVERIFY(record(*session, a_run()));
            QCOMPARE(clean_session(at("clean.vitrine")).error().code, Code::session); // it is being written
        }
        std::ofstream(at("clean.vitrine/activations/step-000007.h5")) << "12345";
        std::ofstream(at("clean.vitrine/activations/step-000008.h5.12.tmp")) << "123";
        std::ofstream(at("clean.vitrine/activations/mine.txt")) << "x";
        const auto cleaned = clean_session(at("clean.vitrine"));
        QCOMPARE(cleaned->removed.size(), std::size_t{2});
        QVERIFY(cleaned->freed >= 8);
        QVERIFY(fs::exists(at("clean.vitrine/activations/mine.txt")));
        const auto session = Session::open(at("clean.vitrine"), Mode::read_only);
        QCOMPARE(session->steps()->size(), std::size_t{1});
        QVERIFY(session->damaged()->empty());
    }
};

QTEST_GUILESS_MAIN(TestBundle)
#include "test_bundle.moc"
