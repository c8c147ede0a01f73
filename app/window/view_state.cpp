#include "app/window/view_state.h"

#include <algorithm>

namespace vitrine::window {

const Json& part(const Json& json, const char* name) {
    static const Json none;
    const auto found = json.is_object() ? json.find(name) : json.end();
    return json.is_object() && found != json.end() ? *found : none;
}

QString text_in(const Json& json, const char* name) {
    const Json& found = part(json, name);
    return found.is_string() ? QString::fromStdString(found.get<std::string>()) : QString();
}

std::int64_t number_in(const Json& json, const char* name) {
    const Json& found = part(json, name);
    return found.is_number_integer() ? found.get<std::int64_t>() : 0;
}

QStringList texts_in(const Json& json) {
    QStringList out;
    if (json.is_array())
        for (const Json& text : json)
            if (text.is_string()) out << QString::fromStdString(text.get<std::string>());
    return out;
}

Json json_of(const QStringList& texts) {
    Json out = Json::array();
    for (const QString& text : texts)
        out.push_back(text.toStdString());
    return out;
}

std::vector<std::int32_t> ids_of(const views::ShownRun& run) {
    std::vector<std::int32_t> ids;
    for (const figure::Token& token : run.tokens)
        ids.push_back(token.id);
    return ids;
}

std::vector<std::int32_t> ids_in(const Json& json) {
    std::vector<std::int32_t> ids;
    if (json.is_array())
        for (const Json& id : json)
            if (id.is_number_integer()) ids.push_back(id.get<std::int32_t>());
    return ids;
}

TextForm form_in(const Json& state) {
    const Json& chat = part(state, "chat");
    TextForm form;
    form.chat = chat.is_boolean() && chat.get<bool>();
    form.specials = static_cast<tokenizer::Specials>(std::clamp<std::int64_t>(
        number_in(state, "specials"), 0, static_cast<int>(tokenizer::Specials::none)));
    return form;
}

std::vector<views::Edit> edits_in(const Json& json) {
    std::vector<views::Edit> out;
    if (json.is_array())
        for (const Json& edit : json) {
            const Json& on = part(edit, "on");
            if (const QString text = text_in(edit, "text"); !text.isEmpty())
                out.push_back({text, !on.is_boolean() || on.get<bool>()});
        }
    return out;
}

std::vector<views::EditSet> edit_sets_in(const Json& json) {
    std::vector<views::EditSet> out;
    if (json.is_array())
        for (const Json& set : json)
            if (const QString name = text_in(set, "name"); !name.isEmpty())
                out.push_back({name, edits_in(part(set, "edits"))});
    return out;
}

Json json_of(const std::vector<views::Edit>& edits) {
    Json out = Json::array();
    for (const views::Edit& edit : edits)
        out.push_back({{"text", edit.text.toStdString()}, {"on", edit.on}});
    return out;
}

Json json_of(const std::vector<views::EditSet>& sets) {
    Json out = Json::array();
    for (const views::EditSet& set : sets)
        out.push_back({{"name", set.name.toStdString()}, {"edits", json_of(set.edits)}});
    return out;
}

} // namespace vitrine::window
