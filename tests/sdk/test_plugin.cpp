// Shared libraries that were built against the sdk alone run in the host.
#include <cmath>
#include <dlfcn.h>
#include <string>

#include <QtTest>

#include "core/engine/analysis_host.h"
#include "core/engine/analysis_parameters.h"

using namespace vitrine;
using namespace vitrine::engine;

namespace {

std::vector<RegisteredAnalysis> load(const std::string& file) {
    void* library = dlopen((std::string(VITRINE_PLUGINS "/") + file).c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) return {};
    const auto entry = reinterpret_cast<vitrine_plugin_function>(dlsym(library, VITRINE_PLUGIN_SYMBOL));
    if (entry == nullptr) return {};
    return read_plugin(*entry(), file).value_or(std::vector<RegisteredAnalysis>{});
}

Result<std::vector<ResultValue>> result_of(const RegisteredAnalysis& analysis, const Json& given) {
    static const model::Model model;
    AnalysisServices services;
    services.model = &model;
    services.run = [](const run::RunSpec& spec) -> Result<run::RunResult> {
        run::RunResult result;
        result.rows.resize(spec.rows.size());
        for (int pos = 0; pos < static_cast<int>(spec.rows[0].ids.size()); ++pos) {
            backend::LogitRow stats;
            stats.entropy = static_cast<float>(pos);
            result.rows[0].positions.push_back({pos, stats});
        }
        return result;
    };
    VITRINE_ASSIGN(const Json parameters, check_parameters(analysis.manifest, given, {}));
    return run_analysis(analysis, parameters, {{{1, 2, 3, 4}, {}}}, services, {}, {});
}

} // namespace

class TestPlugin : public QObject {
    Q_OBJECT
private slots:
    void a_plugin_in_c() {
        const auto analyses = load("c_plugin.so");
        QCOMPARE(analyses.size(), std::size_t{1});
        const auto results = result_of(analyses[0], Json());
        QVERIFY2(results, results ? "" : results.error().message.c_str());
        QVERIFY(results->front().data.front() > 100); // the start message
    }

    void a_plugin_in_cpp() {
        const auto analyses = load("cpp_plugin.so");
        QCOMPARE(analyses.size(), std::size_t{2});
        QCOMPARE(analyses[0].id(), std::string("mean-entropy"));
        const auto results = result_of(analyses[0], {{"factor", "2"}});
        QVERIFY2(results, results ? "" : results.error().message.c_str());
        QCOMPARE(results->front().data.front(), 2 * (0 + 1 + 2 + 3) / 4.0);
        QVERIFY(!result_of(analyses[0], {{"factor", -1}}));
    }

    void what_a_plugin_throws_stays_inside() {
        const auto analyses = load("cpp_plugin.so");
        const auto results = result_of(analyses.at(1), Json());
        QVERIFY(!results);
        QCOMPARE(results.error().message,
                 std::string("The analysis careless failed: no array named run0/row0/hook_embed was given."));
    }
};

QTEST_GUILESS_MAIN(TestPlugin)
#include "test_plugin.moc"
