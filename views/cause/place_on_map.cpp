#include "views/cause/place_on_map.h"

#include <QObject>

#include "views/shared/edits.h"

namespace vitrine::views {

namespace {

std::string site_in(const Json& parameters) {
    const auto site = parameters.find("site");
    return site != parameters.end() && site->is_string() ? site->get<std::string>() : std::string();
}

/// Of maps whose places are heads in one layer: which one.
int only_layer(const Json& parameters) {
    Json layer = parameters.value("layer", Json());
    if (layer.is_array() && layer.size() == 1) layer = Json(layer[0]);
    if (layer.is_number_integer()) return layer.get<int>();
    bool is_number = false;
    const int number =
        layer.is_string() ? QString::fromStdString(layer.get<std::string>()).toInt(&is_number) : -1;
    return is_number ? number : -1;
}

/// The value that a site names, as hooks call it.
QString hook_of(const std::string& site, int layer) {
    const bool of_attention = site == "z" || site == "q" || site == "k" || site == "v" || site == "pattern";
    const QString name = QString::fromStdString(site == "mlps"    ? "mlp_out"
                                                : site == "attns" ? "attn_out"
                                                                  : site);
    return (of_attention ? QStringLiteral("blocks.%1.attn.hook_%2") : QStringLiteral("blocks.%1.hook_%2"))
        .arg(layer)
        .arg(name);
}

} // namespace

Component component_at(const std::string& analysis, const Json& parameters, const figure::Spot& spot) {
    const std::string site = site_in(parameters);
    const int layer = spot.layer >= 0 ? spot.layer : only_layer(parameters);
    if (layer < 0 || analysis == "skip-sublayers" || site == "neurons" || site == "features") return {};
    Component out;
    const QString at = spot.query < 0 ? QString() : QStringLiteral(" pos=%1").arg(spot.query);
    const QString where = spot.query < 0 ? QString() : QObject::tr(" at position %1").arg(spot.query);
    if (spot.head >= 0) {
        out.member = QStringLiteral("L%1H%2").arg(layer).arg(spot.head);
        out.name = QStringLiteral("L%1 H%2%3").arg(layer).arg(spot.head).arg(where);
        out.edit = spot.query < 0 ? ablation(layer, spot.head) : ablation(layer, spot.head, spot.query);
        return out;
    }
    // Path patching draws its senders that are MLPs by layer alone.
    const std::string what = analysis == "path-patch" ? "mlps" : site;
    if (what.empty() || what == "heads") return {};
    if (what == "mlps" || what == "mlp_out") out.member = QStringLiteral("M%1").arg(layer);
    out.name = out.member.isEmpty()
                   ? QObject::tr("%1 of layer %2%3").arg(QString::fromStdString(what)).arg(layer).arg(where)
                   : out.member + where;
    out.edit = hook_of(what, layer) + at + QStringLiteral(" zero");
    return out;
}

} // namespace vitrine::views
