// Raw and folded coordinates through the command line: what changes, what must not, and that results say
// which.
#include <QtTest>

#include <cmath>

#include "core/formats/npz.h"
#include "core/store/activation_reader.h"
#include "tests/cli/program_under_test.h"

using namespace vitrine;
using namespace vitrine::test;

namespace {

const QStringList prompt{"--ids", "5,17,2,40,11,17,3"};

Tensor reference(const char* name) {
    const auto arrays = formats::read_npz(fixture("models/folded/gpt2-random.npz").toStdString());
    if (!arrays) qFatal("%s", arrays.error().message.c_str());
    return arrays->at(name).to_float();
}

const Json& result(const Ended& ended, const char* name) {
    for (const Json& entry : ended.document["results"])
        if (entry["name"] == name) return entry["data"];
    qFatal("no result %s", name);
}

} // namespace

class TestCliCoordinates : public QObject {
    Q_OBJECT

    QTemporaryDir folder_;

private slots:
    void a_run_says_which_and_folds_its_logits() {
        const Ended raw = run_json(QStringList{"run", gpt2(), "--device", "cpu"} + prompt);
        const Ended folded =
            run_json(QStringList{"run", gpt2(), "--device", "cpu", "--coordinates", "folded"} + prompt);
        VERIFY_DONE(raw);
        VERIFY_DONE(folded);
        QCOMPARE(raw.document["coordinates"], "raw");
        QCOMPARE(folded.document["coordinates"], "folded");
        const Json& before = raw.document["rows"][0]["positions"][0];
        const Json& after = folded.document["rows"][0]["positions"][0];
        const Tensor logits = reference("logits");
        for (std::size_t i = 0; i < after["top"].size(); ++i) {
            const Json& token = after["top"][i];
            QCOMPARE(token["id"], before["top"][i]["id"]);
            QVERIFY(std::abs(token["prob"].get<double>() - before["top"][i]["prob"].get<double>()) < 1e-5);
            const std::size_t at = logits.data.size() - 300 + token["id"].get<std::size_t>();
            QVERIFY(std::abs(token["logit"].get<double>() - double{logits.data[at]}) < 5e-4);
            QVERIFY(std::abs(token["logit"].get<double>() - before["top"][i]["logit"].get<double>()) > 1e-3);
        }
        QCOMPARE(after["entropy"], before["entropy"]);
    }

    void a_file_says_which_and_is_no_source_of_edits() {
        const QString file = folder_.filePath("folded.h5");
        VERIFY_DONE(run_json(QStringList{"run", gpt2(), "--device", "cpu", "--coordinates", "folded",
                                         "--capture", "blocks.1.hook_resid_post", "--out", file} +
                             prompt));
        const auto reader = store::ActivationReader::open(file.toStdString());
        QVERIFY(reader.has_value());
        QCOMPARE(reader->header()->coordinates, std::string("folded"));
        const auto stored = reader->read("/row0/blocks.1.hook_resid_post");
        const Tensor theirs = reference("hook blocks.1.hook_resid_post");
        QVERIFY(stored.has_value());
        for (std::size_t i = 0; i < theirs.data.size(); ++i)
            QVERIFY(std::abs(stored->data[i] - theirs.data[i]) < 5e-4F);
        const Ended refused =
            run_program(QStringList{"run", gpt2(), "--device", "cpu", "--json", "--quiet", "--edit",
                                    "blocks.1.hook_resid_post from @" + file + ":0"} +
                        prompt);
        verify_refused(refused, 1, "unsupported");
    }

    void the_lens_folds_logits_and_keeps_probabilities() {
        const QStringList command{"analyze", "lens", gpt2(), "--device", "cpu", "--set", "token=7"};
        const Ended raw = run_json(command + prompt);
        const Ended folded = run_json(command + QStringList{"--set", "coordinates=folded"} + prompt);
        VERIFY_DONE(raw);
        VERIFY_DONE(folded);
        QCOMPARE(raw.document["provenance"]["coordinates"], "raw");
        QCOMPARE(folded.document["provenance"]["coordinates"], "folded");
        const Tensor logits = reference("logits");
        const double theirs = double{logits.data[logits.data.size() - 300 + 7]};
        QVERIFY(std::abs(result(folded, "logit").back().get<double>() - theirs) < 5e-4);
        for (std::size_t layer = 0; layer < 3; ++layer) {
            QVERIFY(std::abs(result(folded, "prob")[layer].get<double>() -
                             result(raw, "prob")[layer].get<double>()) < 1e-6);
            QVERIFY(std::abs(result(folded, "logit")[layer].get<double>() -
                             result(raw, "logit")[layer].get<double>()) > 1e-3);
        }
    }

    void what_has_no_folded_form_is_refused() {
        verify_refused(run_program({"run", fixture("models/families/opt-projected"), "--ids", "5,6",
                                    "--coordinates", "folded", "--json", "--quiet"}),
                       1, "unsupported");
        verify_refused(run_program(QStringList{"run", gpt2(), "--coordinates", "folded", "--edit",
                                               "unembed.hook_out zero", "--json", "--quiet"} +
                                   prompt),
                       1, "unsupported");
    }
};

QTEST_GUILESS_MAIN(TestCliCoordinates)
#include "test_cli_coordinates.moc"
