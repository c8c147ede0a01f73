#include "views/figure/figure_for.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "views/figure/attention_grid.h"
#include "views/figure/column.h"
#include "views/figure/curves.h"
#include "views/figure/heatmap.h"
#include "views/figure/lanes_for.h"
#include "views/figure/quantity.h"
#include "views/figure/scatter.h"
#include "views/figure/series.h"
#include "views/figure/table.h"
#include "views/figure/token_grid.h"
#include "views/figure/token_scores.h"

namespace vitrine::figure {

namespace {

using engine::ResultAxis;
using engine::ResultValue;

constexpr int most_lines = 6; ///< more than that becomes a map

QString text_of(const std::string& text) { return QString::fromStdString(text); }

QString title_of(const ResultValue& result) { return title_of(quantity_of(result.name)); }

// What a colour bar says: the unit, or where there is none the quantity itself.
QString unit_of(const ResultValue& result) {
    const Quantity quantity = quantity_of(result.name);
    return quantity.unit.isEmpty() ? quantity.title.toLower() : quantity.unit;
}

bool over_tokens(const std::string& axis) {
    return axis == "pos" || axis == "position" || axis == "token" || axis == "query" || axis == "key";
}

QString label_of(const ResultAxis& axis, std::int64_t index) {
    if (index >= static_cast<std::int64_t>(axis.labels.size())) {
        const QString number = QString::number(index);
        return axis.name == "layer"  ? QStringLiteral("L") + number
               : axis.name == "head" ? QStringLiteral("H") + number
                                     : number;
    }
    const std::string& label = axis.labels[static_cast<std::size_t>(index)];
    return over_tokens(axis.name) ? shown_token(label) : text_of(label);
}

QStringList labels_of(const ResultAxis& axis) {
    QStringList out;
    if (axis.labels.empty() && axis.name != "layer" && axis.name != "head") return out;
    for (std::int64_t i = 0; i < axis.size; ++i)
        out << label_of(axis, i);
    return out;
}

ColourScale scale_of(const ResultValue& result, const QString& unit, const Theme& theme) {
    const std::vector<double>& data = result.data;
    const bool difference = result.name.ends_with("_difference");
    ColourScale out;
    out.unit = unit;
    out.map = theme.amounts;
    double low = INFINITY, high = -INFINITY;
    for (const double value : data)
        if (std::isfinite(value)) low = std::min(low, value), high = std::max(high, value);
    if (!(low <= high)) low = 0, high = 1;
    if (low < 0 || difference) { // differences and effects: zero in the middle
        high = std::max(-low, high);
        if (high <= 0) high = 1;
        low = -high;
        out.map = theme.differences();
    } else if (low < 0.7 * high)
        low = 0;
    if (low == high) high = low + 1;
    out.min = low;
    out.max = high;
    return out;
}

std::vector<float> floats(const std::vector<double>& data) { return {data.begin(), data.end()}; }

PicturePtr words(const ResultValue& result, const QString& said) {
    auto out = std::make_shared<Card>();
    out->title = title_of(result);
    out->text = said;
    return out;
}

PicturePtr heatmap(const ResultValue& result, const Theme& theme) {
    auto out = std::make_shared<Heatmap>();
    const ResultAxis& last = result.axes.back();
    const auto cols = static_cast<int>(last.size);
    const int rows = cols == 0 ? 0 : static_cast<int>(result.data.size()) / cols;
    out->title = title_of(result);
    out->meaning = quantity_of(result.name).meaning;
    out->values = make_matrix(rows, cols, floats(result.data));
    out->style.scale = scale_of(result, unit_of(result), theme);
    out->col_title = text_of(last.name);
    out->col_labels = labels_of(last);
    if (result.axes.size() == 2) {
        const ResultAxis& first = result.axes.front();
        out->row_title = text_of(first.name);
        out->row_labels = labels_of(first);
        out->style.causal = first.name == "query" && last.name == "key" && rows == cols;
        out->square = out->style.causal;
        if (out->style.causal) out->style.scale.unit = QStringLiteral("attention");
        return out;
    }
    // All axes but the last become the rows: "L0 H3".
    for (std::size_t axis = 0; axis + 1 < result.axes.size(); ++axis)
        out->row_title += (axis ? QStringLiteral(" · ") : QString()) + text_of(result.axes[axis].name);
    for (int row = 0; row < rows; ++row) {
        QString label;
        std::int64_t rest = row;
        for (std::size_t axis = result.axes.size() - 1; axis-- > 0;) {
            label = label_of(result.axes[axis], rest % result.axes[axis].size) +
                    (label.isEmpty() ? QString() : QStringLiteral(" ") + label);
            rest /= result.axes[axis].size;
        }
        out->row_labels << label;
    }
    return out;
}

// What every head does over steps: axes layer, head, step. Steps of a training are spaced by powers of ten.
PicturePtr curves(const ResultValue& result) {
    auto out = std::make_shared<Curves>();
    const ResultAxis& last = result.axes.back();
    const Quantity quantity = quantity_of(result.name);
    out->title = quantity.title; // its unit stands above the axis
    out->unit = quantity.unit;
    out->meaning = quantity.meaning;
    out->x_title = quantity_of(last.name).title.toLower();
    for (std::int64_t i = 0; i < last.size; ++i)
        out->x.push_back(i < static_cast<std::int64_t>(last.labels.size())
                             ? text_of(last.labels[static_cast<std::size_t>(i)]).toDouble()
                             : static_cast<double>(i));
    out->log_x = last.name == "training_step";
    const auto length = static_cast<std::size_t>(last.size);
    const bool of_heads = result.axes.size() == 3;
    out->lead = of_heads && out->log_x;
    for (std::size_t at = 0; length > 0 && (at + 1) * length <= result.data.size(); ++at) {
        Curves::Line line;
        if (of_heads) {
            line.layer = static_cast<int>(at) / static_cast<int>(result.axes[1].size);
            line.head = static_cast<int>(at) % static_cast<int>(result.axes[1].size);
            line.name = QStringLiteral("L%1 H%2").arg(line.layer).arg(line.head);
        } else if (result.axes.size() == 2) {
            line.name = label_of(result.axes.front(), static_cast<std::int64_t>(at));
        }
        line.values.assign(result.data.begin() + static_cast<std::ptrdiff_t>(at * length),
                           result.data.begin() + static_cast<std::ptrdiff_t>((at + 1) * length));
        out->lines.push_back(std::move(line));
    }
    return out;
}

// Caches by position: axes cache and pos, or bins of positions "32–63", which stand at their middle.
PicturePtr curves_of_caches(const ResultValue& result) {
    auto out = std::make_shared<Curves>();
    const ResultAxis& last = result.axes.back();
    const Quantity quantity = quantity_of(result.name);
    out->title = quantity.title;
    out->unit = quantity.unit;
    out->meaning = quantity.meaning;
    out->x_title = QStringLiteral("position");
    const bool difference = result.name.ends_with("_difference");
    out->log_y = !difference && quantity.unit.isEmpty(); // perplexities, not their logarithms
    out->over_gaps = true;
    out->lead = last.name == "bin";
    for (std::int64_t i = 0; i < last.size; ++i) {
        const QStringList ends = i < static_cast<std::int64_t>(last.labels.size())
                                     ? text_of(last.labels[static_cast<std::size_t>(i)]).split(QChar(0x2013))
                                     : QStringList(QString::number(i));
        out->x.push_back((ends.front().toDouble() + ends.back().toDouble()) / 2);
        if (ends.size() > 1) out->x_names << ends.join(QChar(0x2013));
    }
    const auto length = static_cast<std::size_t>(last.size);
    for (std::size_t at = 0; length > 0 && (at + 1) * length <= result.data.size(); ++at)
        out->lines.push_back({label_of(result.axes.front(), static_cast<std::int64_t>(at)),
                              {result.data.begin() + static_cast<std::ptrdiff_t>(at * length),
                               result.data.begin() + static_cast<std::ptrdiff_t>((at + 1) * length)}});
    return out;
}

bool by_cache(const ResultValue& result) {
    return result.axes.size() == 2 && result.axes.front().name == "cache" &&
           (result.axes.back().name == "bin" || result.axes.back().name == "pos");
}

bool over_steps(const ResultValue& result) {
    const std::string& last = result.axes.back().name;
    const bool of_heads =
        result.axes.size() == 3 && result.axes[0].name == "layer" && result.axes[1].name == "head";
    return last == "training_step" ? of_heads || result.axes.size() < 3 : last == "step" && of_heads;
}

PicturePtr series(const ResultValue& result, const Theme& theme) {
    if (result.axes.size() > 2 || (result.axes.size() == 2 && result.axes.front().size > most_lines))
        return heatmap(result, theme);
    auto out = std::make_shared<Series>();
    const ResultAxis& last = result.axes.back();
    out->title = title_of(result);
    out->meaning = quantity_of(result.name).meaning;
    out->x_title = text_of(last.name);
    out->x_labels = labels_of(last);
    out->bars = result.kind == "histogram" || (result.axes.size() == 1 && last.name == "component");
    const auto length = static_cast<std::size_t>(last.size);
    for (std::size_t at = 0; length > 0 && (at + 1) * length <= result.data.size(); ++at) {
        Series::Line line;
        if (result.axes.size() == 2)
            line.name = text_of(result.axes.front().name) + QLatin1Char(' ') +
                        label_of(result.axes.front(), static_cast<std::int64_t>(at));
        line.values.assign(result.data.begin() + static_cast<std::ptrdiff_t>(at * length),
                           result.data.begin() + static_cast<std::ptrdiff_t>((at + 1) * length));
        out->lines.push_back(std::move(line));
    }
    return out;
}

QString cell_text(const Json& cell) {
    if (cell.is_null()) return QStringLiteral("–");
    if (cell.is_string()) return shown_token(cell.get<std::string>());
    if (cell.is_number_integer()) return count(cell.get<std::int64_t>());
    if (cell.is_number()) return number(cell.get<double>());
    if (cell.is_boolean()) return cell.get<bool>() ? QStringLiteral("yes") : QStringLiteral("no");
    if (cell.is_object() && cell.contains("text") && cell["text"].is_string())
        return shown_token(cell["text"].get<std::string>());
    return text_of(dump_json(cell));
}

// Layer and head of a row that names one head; −1 otherwise.
Spot head_of(const Json& row) {
    Spot out;
    const auto layer = row.find("layer"), head = row.find("head");
    if (layer == row.end() || head == row.end() || !layer->is_number_integer() || !head->is_number_integer())
        return out;
    out.layer = layer->get<int>();
    out.head = head->get<int>();
    return out;
}

double number_in(const Json& cell) { return cell.is_number() ? cell.get<double>() : std::nan(""); }

// {layer, head} and two numbers in every row: heads between two metrics.
PicturePtr scatter(const ResultValue& result, const Json& list) {
    if (!list.is_array() || list.empty()) return nullptr;
    std::vector<std::string> metrics;
    auto out = std::make_shared<Scatter>();
    for (const Json& row : list) {
        if (!row.is_object() || row.size() != 4 || head_of(row).layer < 0) return nullptr;
        if (metrics.empty())
            for (const auto& [name, cell] : row.items())
                if (name != "layer" && name != "head") metrics.push_back(name);
        if (metrics.size() != 2) return nullptr;
        for (const std::string& name : metrics)
            if (!row.contains(name) || !(row[name].is_number() || row[name].is_null())) return nullptr;
        out->points.push_back(
            {head_of(row).layer, head_of(row).head, number_in(row[metrics[0]]), number_in(row[metrics[1]])});
    }
    out->title = title_of(result);
    out->x_title = title_of(quantity_of(metrics[0]));
    out->y_title = title_of(quantity_of(metrics[1]));
    return out;
}

PicturePtr table(const ResultValue& result, const Json& list) {
    if (!list.is_array() || list.empty() || !list.front().is_object())
        return words(result, QStringLiteral("The table is empty."));
    auto out = std::make_shared<Table>();
    out->title = title_of(result);
    // A head is one column, by its name.
    const bool of_heads = head_of(list.front()).layer >= 0;
    if (of_heads) {
        out->columns << QStringLiteral("head");
        out->numeric.push_back(true);
    }
    std::vector<std::string> names;
    for (const auto& [name, cell] : list.front().items()) {
        if (of_heads && (name == "layer" || name == "head")) continue;
        names.push_back(name);
        out->columns << text_of(name).replace(QLatin1Char('_'), QLatin1Char(' '));
        out->numeric.push_back(std::any_of(list.begin(), list.end(), [&name = name](const Json& row) {
            return row.contains(name) && row[name].is_number();
        }));
    }
    for (const Json& row : list) {
        QStringList cells;
        std::vector<double> keys;
        if (of_heads) {
            const Spot head = head_of(row);
            cells << QStringLiteral("L%1 H%2").arg(head.layer).arg(head.head);
            keys.push_back(head.layer * 1e5 + head.head);
            out->spots.push_back(head);
        }
        for (const std::string& name : names) {
            const auto found = row.find(name);
            cells << (found == row.end() ? QString() : cell_text(*found));
            keys.push_back(found == row.end() ? std::nan("") : number_in(*found));
        }
        out->rows.push_back(cells);
        out->keys.push_back(std::move(keys));
    }
    return out;
}

// What a lens reads: {position, layer, rank, id, token, logit, prob} of one row, every layer alike.
PicturePtr tokens_by_layer(const ResultValue& result, const Json& list, const Theme& theme) {
    static constexpr std::array names = {"position", "layer", "rank", "id", "token", "logit", "prob"};
    if (!list.is_array() || list.empty()) return nullptr;
    std::set<int> positions;
    int layers = 0, ranks = 0;
    for (const Json& row : list) {
        for (const char* name : names)
            if (!row.contains(name) || row[name].is_null()) return nullptr;
        if (row.value("row", 0) != 0 || !row["token"].is_string()) return nullptr;
        positions.insert(row["position"].get<int>());
        layers = std::max(layers, row["layer"].get<int>() + 1);
        ranks = std::max(ranks, row["rank"].get<int>() + 1);
    }
    auto out = std::make_shared<TokenGrid>();
    const bool many = positions.size() > 1;
    out->title = title_of(result);
    out->layers = layers;
    out->col_title = many ? QStringLiteral("position") : QStringLiteral("rank");
    if (many)
        out->positions.assign(positions.begin(), positions.end());
    else
        out->positions.assign(static_cast<std::size_t>(ranks), *positions.begin());
    for (std::size_t col = 0; col < out->positions.size(); ++col)
        out->columns << QString::number(many ? out->positions[col] : static_cast<int>(col));
    out->cells.resize(static_cast<std::size_t>(layers) * out->positions.size());
    for (const Json& row : list) {
        const int rank = row["rank"].get<int>();
        if (many && rank != 0) continue;
        const auto col = many ? static_cast<std::size_t>(std::distance(
                                    positions.begin(), positions.find(row["position"].get<int>())))
                              : static_cast<std::size_t>(rank);
        out->cells[static_cast<std::size_t>(row["layer"].get<int>()) * out->positions.size() + col] = {
            shown_token(row["token"].get<std::string>()), row["id"].get<int>(), row["prob"].get<double>(),
            row["logit"].get<double>()};
    }
    out->scale.map = theme.amounts;
    out->scale.unit = QStringLiteral("probability");
    return out;
}

PicturePtr scores(const ResultValue& result, const Theme& theme) {
    const ResultAxis& last = result.axes.back();
    if (result.axes.size() != 1) return heatmap(result, theme);
    auto out = std::make_shared<TokenScores>();
    out->title = title_of(result);
    for (std::int64_t i = 0; i < last.size; ++i)
        out->tokens << (last.labels.empty() ? QString::number(i)
                                            : shown_token(last.labels[static_cast<std::size_t>(i)]));
    out->values = result.data;
    out->scale = scale_of(result, unit_of(result), theme);
    return out;
}

// A stack of one: its query × key, large.
PicturePtr one_head(const ResultValue& result, const Theme& theme) {
    auto out = std::make_shared<Heatmap>();
    const ResultAxis &queries = result.axes[result.axes.size() - 2], &keys = result.axes.back();
    for (std::size_t axis = 0; axis + 2 < result.axes.size(); ++axis)
        out->title += (axis ? QStringLiteral(" ") : QString()) + label_of(result.axes[axis], 0);
    out->meaning = quantity_of(result.name).meaning;
    out->values =
        make_matrix(static_cast<int>(queries.size), static_cast<int>(keys.size), floats(result.data));
    out->style.scale = scale_of(result, QStringLiteral("attention"), theme);
    out->style.causal = out->square = queries.size == keys.size;
    out->row_title = text_of(queries.name);
    out->col_title = text_of(keys.name);
    out->row_labels = labels_of(queries);
    out->col_labels = labels_of(keys);
    return out;
}

// Axes … , query, key: one thumbnail for each index before them, the last of those across.
PicturePtr attention(const ResultValue& result, const Theme& theme) {
    const std::size_t axes = result.axes.size();
    if (axes < 2) return words(result, QStringLiteral("An attention stack needs axes query and key."));
    if (axes == 2) return heatmap(result, theme);
    if (static_cast<std::int64_t>(result.data.size()) ==
        result.axes[axes - 1].size * result.axes[axes - 2].size)
        return one_head(result, theme);
    auto out = std::make_shared<AttentionGrid>();
    out->title = title_of(result);
    const auto queries = static_cast<int>(result.axes[axes - 2].size),
               keys = static_cast<int>(result.axes[axes - 1].size);
    out->heads = static_cast<int>(result.axes[axes - 3].size);
    const std::int64_t each = std::int64_t{queries} * keys;
    if (each == 0 || out->heads == 0) return words(result, QStringLiteral("The attention stack is empty."));
    out->layers = static_cast<int>(static_cast<std::int64_t>(result.data.size()) / each / out->heads);
    const auto shared = std::make_shared<const Tensor>(Shape{static_cast<std::int64_t>(result.data.size())},
                                                       floats(result.data));
    for (std::int64_t i = 0; i < std::int64_t{out->layers} * out->heads; ++i)
        out->patterns.push_back({shared, i * each, queries, keys});
    out->causal = queries == keys;
    out->scale = scale_of(result, QStringLiteral("attention"), theme);
    return out;
}

} // namespace

PicturePtr figure_for(const ResultValue& result, const Theme& theme) {
    const std::string& kind = result.kind;
    if (kind == "number") {
        auto out = std::make_shared<Card>();
        out->title = title_of(result);
        const bool none = result.data.empty() || std::isnan(result.data.front());
        const QString unit = quantity_of(result.name).unit;
        out->title = quantity_of(result.name).title;
        out->big = none ? QStringLiteral("none") : number(result.data.front());
        if (!none && !unit.isEmpty()) out->big += QLatin1Char(' ') + unit;
        return out;
    }
    if (kind == "text")
        return words(result, result.json.is_string() ? text_of(result.json.get<std::string>()) : QString());
    if (kind == "table")
        if (PicturePtr grid = tokens_by_layer(result, result.json, theme)) return grid;
    if (kind == "table")
        if (PicturePtr points = scatter(result, result.json)) return points;
    if (kind == "table" || kind == "features") return table(result, result.json);
    if (kind == "graph") return table(result, result.json.contains("edges") ? result.json["edges"] : Json());
    if (result.axes.empty() || result.data.empty())
        return words(result, QStringLiteral("The result is empty."));
    if ((kind == "matrix" || kind == "series") && over_steps(result)) return curves(result);
    if (kind == "matrix" && by_cache(result)) return curves_of_caches(result);
    if (kind == "matrix") return result.axes.size() == 1 ? series(result, theme) : heatmap(result, theme);
    if (kind == "series" || kind == "histogram") return series(result, theme);
    if (kind == "scores") return scores(result, theme);
    if (kind == "stack") return attention(result, theme);
    return nullptr;
}

void mark_heads(Picture& picture, const std::vector<ResultValue>& results, const Theme& theme) {
    auto* map = dynamic_cast<Heatmap*>(&picture);
    if (!map || map->row_title != QLatin1String("layer") || map->col_title != QLatin1String("head")) return;
    struct Sign {
        const char* label;
        const char* sign;
        int count = 0;
    };
    std::array<Sign, 3> signs{{{"sink", "●"}, {"overload", "▲"}, {"collapse", "▼"}}};
    for (const ResultValue& result : results) {
        if (result.name == "note" && result.json.is_string())
            map->meaning = text_of(result.json.get<std::string>());
        if (result.name != "heads" || !result.json.is_array()) continue;
        for (const Json& head : result.json) {
            const std::string label = head.value("label", std::string());
            for (Sign& sign : signs) {
                if (label != sign.label) continue;
                ++sign.count;
                const bool sink = label == "sink";
                map->tags.push_back({head.value("layer", 0), head.value("head", 0),
                                     QString::fromUtf8(sign.sign), text_of(label), !sink,
                                     sink ? colour_at(Map::sink, theme.dark ? 0.7 : 0.62) : QColor()});
            }
        }
        if (result.json.empty() || !result.json.front().contains("label")) continue;
        for (const Sign& sign : signs)
            map->legend += (map->legend.isEmpty() ? QString() : QStringLiteral("   ")) +
                           QStringLiteral("%1 %2 %3")
                               .arg(QString::fromUtf8(sign.sign), QString::fromUtf8(sign.label))
                               .arg(sign.count);
    }
}

namespace {

// A generation by step: its lanes in one picture, and the results that these do not hold.
PicturePtr lanes_of(const std::vector<ResultValue>& results) {
    const bool rolling = std::any_of(results.begin(), results.end(), [](const ResultValue& result) {
        return result.name == "rolling_entropy";
    });
    return rolling ? lanes_for({{QString(), &results}}, NAN, false) : nullptr;
}

} // namespace

PicturePtr figure_for(const std::vector<ResultValue>& results, const Theme& theme) {
    if (PicturePtr lanes = lanes_of(results)) {
        auto out = std::make_shared<Column>();
        out->parts.push_back(std::move(lanes));
        for (const ResultValue& result : results)
            if (result.kind == "text" || result.name == "diversity")
                out->parts.push_back(figure_for(result, theme));
        return out;
    }
    auto out = std::make_shared<Column>();
    const auto add = [&](bool small) {
        for (const ResultValue& result : results) {
            if ((result.kind == "number" || result.kind == "text") != small) continue;
            PicturePtr part = figure_for(result, theme);
            if (!part) continue;
            mark_heads(*part, results, theme);
            out->parts.push_back(std::move(part));
        }
    };
    add(true);
    add(false);
    // What the tokens of a lens are says more than any curve: it comes first.
    const auto rest = std::stable_partition(out->parts.begin(), out->parts.end(),
                                            [](const PicturePtr& part) { return part->leads(); });
    if (rest != out->parts.begin())
        std::stable_partition(rest, out->parts.end(), [](const PicturePtr& part) { return part->grows(); });
    return out;
}

} // namespace vitrine::figure
