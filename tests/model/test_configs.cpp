// Configs that are wrong, or ask for what is not computed: one sentence that names the member, and never a
// crash.
#include <QDir>
#include <QTemporaryDir>
#include <QtTest>
#include <fmt/format.h>

#include "core/base/json.h"
#include "core/model/family.h"

using namespace vitrine;

namespace {

const QString fixtures = QStringLiteral(VITRINE_FIXTURES "/models/families");

Json config_of(const QString& name) {
    auto json = read_json((fixtures + "/" + name + "/config.json").toStdString());
    if (!json) qFatal("%s", json.error().message.c_str());
    return *json;
}

/// A folder with a fixture's weights, whose config is written anew for every try.
class Folder {
public:
    explicit Folder(const QString& name) {
        if (!QFile::copy(fixtures + "/" + name + "/model.safetensors", folder_.filePath("model.safetensors")))
            qFatal("no copy of %s", qPrintable(name));
    }
    Result<model::Model> open(const Json& config) const {
        QFile file(folder_.filePath("config.json"));
        if (!file.open(QIODevice::WriteOnly)) qFatal("no config");
        const std::string text = config.dump();
        file.write(text.data(), static_cast<qint64>(text.size()));
        file.close();
        return model::open_model_folder(folder_.path().toStdString(), {}, {});
    }

private:
    QTemporaryDir folder_;
};

bool one_sentence(const std::string& message) {
    return message.size() > 20 && message.ends_with(".") && message.find('\n') == std::string::npos;
}

} // namespace

class TestConfigs : public QObject {
    Q_OBJECT
private slots:
    void refused_by_name_data() {
        QTest::addColumn<QString>("name");
        QTest::addColumn<QString>("change"); // a JSON merge patch
        QTest::addColumn<QString>("code");
        QTest::addColumn<QString>("says");
        const auto row = [](const char* name, const char* change, const char* code, const char* says) {
            QTest::newRow(fmt::format("{} {}", name, change).c_str()) << name << change << code << says;
        };
        row("llama", R"({"model_type": "mamba"})", "unsupported", "\"mamba\"");
        row("llama", R"({"model_type": null})", "unsupported", "model type");
        row("llama", R"({"quantization_config": {"quant_method": "gptq"}})", "unsupported",
            "quantization_config");
        row("llama", R"({"num_local_experts": 8})", "unsupported", "num_local_experts");
        row("llama", R"({"is_encoder_decoder": true})", "unsupported", "is_encoder_decoder");
        row("llama", R"({"position_embedding_type": "alibi"})", "unsupported", "position_embedding_type");
        row("llama", R"({"hidden_act": "mish"})", "unsupported", "\"mish\"");
        row("llama", R"({"hidden_size": null})", "malformed", "hidden_size");
        row("llama", R"({"hidden_size": 17, "head_dim": null})", "malformed", "17");
        row("llama", R"({"num_hidden_layers": 1000000})", "malformed", "1000000 layers");
        row("llama", R"({"num_key_value_heads": 3})", "malformed", "3 key-value heads");
        row("llama", R"({"rms_norm_eps": 0})", "malformed", "rms_norm_eps");
        row("llama", R"({"rms_norm_eps": true})", "malformed", "rms_norm_eps");
        row("llama", R"({"tie_word_embeddings": "yes"})", "malformed", "tie_word_embeddings");
        row("llama", R"({"rope_parameters": [1]})", "malformed", "rope_parameters");
        row("llama", R"({"rope_parameters": {"rope_theta": -1}})", "malformed", "rope_theta");
        row("llama", R"({"rope_parameters": {"rope_type": "proportional"}})", "unsupported", "proportional");
        row("llama", R"({"rope_parameters": {"rope_type": "linear"}})", "malformed", "factor");
        row("llama", R"({"rope_parameters": {"partial_rotary_factor": 0.8}})", "malformed", "3.2");
        row("llama-longrope", R"({"rope_parameters": {"long_factor": [1, 2]}})", "malformed", "long_factor");
        row("llama-longrope", R"({"rope_parameters": {"short_factor": [1, 2, "x", 4]}})", "malformed",
            "short_factor");
        row("llama-llama3", R"({"rope_parameters": {"low_freq_factor": 4}})", "malformed", "low_freq_factor");
        row("llama-yarn", R"({"rope_parameters": {"factor": 0}})", "malformed", "factor");
        row("mistral", R"({"sliding_window": 0})", "malformed", "sliding_window");
        row("qwen2", R"({"max_window_layers": "all"})", "malformed", "max_window_layers");
        row("qwen2", R"({"layer_types": ["full_attention"]})", "malformed", "layer_types");
        row("qwen2", R"({"layer_types": ["full_attention", "linear_attention"]})", "unsupported",
            "linear_attention");
        row("gemma", R"({"use_bidirectional_attention": true})", "unsupported",
            "use_bidirectional_attention");
        row("gemma2", R"({"query_pre_attn_scalar": 0})", "malformed", "query_pre_attn_scalar");
        row("gemma3_text", R"({"attn_logit_softcapping": 50})", "unsupported", "attn_logit_softcapping");
        row("gpt2", R"({"add_cross_attention": true})", "unsupported", "add_cross_attention");
        row("gpt2", R"({"n_layer": null})", "malformed", "n_layer");
        row("gpt_neo", R"({"attention_types": [[["global", "sparse"], 1]]})", "unsupported", "sparse");
        row("gpt_neo", R"({"attention_types": [["global"], 1]})", "malformed", "attention_types");
        row("gptj", R"({"rotary_dim": 3})", "malformed", "rotary_dim");
        row("gptj", R"({"rotary_dim": 64})", "malformed", "rotary_dim");
        row("bloom", R"({"apply_residual_connection_post_layernorm": true})", "unsupported",
            "apply_residual_connection_post_layernorm");
        row("mpt", R"({"attn_config": 1})", "malformed", "attn_config");
        row("mpt", R"({"attn_config": {"alibi": false}})", "unsupported", "alibi");
        row("mpt", R"({"attn_config": {"alibi_bias_max": 16}})", "unsupported", "alibi_bias_max");
        row("mpt", R"({"attn_config": {"qk_ln": true}})", "unsupported", "qk_ln");
        row("mpt", R"({"attn_config": {"clip_qkv": "8"}})", "malformed", "clip_qkv");
        row("mpt", R"({"expansion_ratio": 2})", "unsupported", "expansion_ratio");
        row("mpt", R"({"logit_scale": "inv_sqrt_d_model"})", "unsupported", "logit_scale");
        row("mpt", R"({"no_bias": false})", "unsupported", "no_bias");
        row("falcon-new_decoder", R"({"parallel_attn": false})", "unsupported", "parallel_attn");
        row("falcon-multi_query", R"({"num_ln_in_parallel_attn": 2})", "unsupported",
            "num_ln_in_parallel_attn");
        row("opt", R"({"word_embed_proj_dim": "16"})", "malformed", "word_embed_proj_dim");
        row("olmo", R"({"clip_qkv": -1})", "malformed", "clip_qkv");
        row("smollm3", R"({"no_rope_layers": [1]})", "malformed", "no_rope_layers");
        row("granite", R"({"logits_scaling": 0})", "malformed", "logits_scaling");
        row("starcoder2", R"({"norm_type": "rms_norm"})", "unsupported", "norm_type");
    }
    void refused_by_name() {
        QFETCH(QString, name);
        QFETCH(QString, change);
        QFETCH(QString, code);
        QFETCH(QString, says);
        const Folder folder(name);
        Json config = config_of(name);
        QVERIFY(folder.open(config).has_value());
        config.merge_patch(Json::parse(change.toStdString()));
        const auto opened = folder.open(config);
        QVERIFY(!opened.has_value());
        QCOMPARE(QString::fromUtf8(code_name(opened.error().code).data()), code);
        const QString message = QString::fromStdString(opened.error().message);
        QVERIFY2(message.contains(says), qPrintable(message));
        QVERIFY2(one_sentence(opened.error().message), qPrintable(message));
    }

    void any_member_may_be_wrong_data() {
        QTest::addColumn<QString>("name");
        for (const QString& name : QDir(fixtures).entryList(QDir::Dirs | QDir::NoDotAndDotDot))
            QTest::newRow(name.toUtf8()) << name;
    }
    void any_member_may_be_wrong() {
        QFETCH(QString, name);
        const Folder folder(name);
        const Json good = config_of(name);
        const std::vector<Json> values{nullptr, true,          "x",           -1, 0.5, 1 << 30,
                                       1e300,   Json::array(), Json::object()};
        int refused = 0;
        const auto attempt = [&](const Json& config, const std::string& key) {
            const auto opened = folder.open(config);
            if (opened) return;
            ++refused;
            const Error& error = opened.error();
            QVERIFY2(error.code == Code::malformed || error.code == Code::unsupported ||
                         error.code == Code::io,
                     (key + ": " + error.message).c_str());
            QVERIFY2(one_sentence(error.message), (key + ": " + error.message).c_str());
        };
        for (const auto& [key, old] : good.items()) {
            std::vector<Json> tried = values;
            if (old.is_array() && !old.empty())
                tried.push_back(Json::array({old[0], old[0], old[0], old[0], old[0]}));
            for (const Json& value : tried) {
                Json config = good;
                config[key] = value;
                attempt(config, key);
            }
            if (!old.is_object()) continue;
            for (const auto& [inner, was] : old.items())
                for (const Json& value : values) {
                    Json config = good;
                    config[key][inner] = value;
                    attempt(config, key + "." + inner);
                }
        }
        QVERIFY(refused > 30);
    }
};

QTEST_GUILESS_MAIN(TestConfigs)
#include "test_configs.moc"
