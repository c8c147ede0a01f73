#include "views/shared/edits.h"

#include <algorithm>
#include <utility>

#include "views/shared/figure_source.h"

namespace vitrine::views {

namespace {

/// A run has one attention policy: the one switched on last.
void keep_one_policy(std::vector<Edit>& edits, const QString& newest) {
    if (!is_policy(newest)) return;
    for (Edit& edit : edits)
        if (is_policy(edit.text) && edit.text != newest) edit.on = false;
}

} // namespace

bool is_policy(const QString& text) { return text.startsWith(QLatin1String("attention ")); }
QString policy_in(const QString& text) { return text.section(QLatin1Char(' '), 1); }

QString command_options(const QStringList& edits) {
    QString out;
    for (const QString& edit : edits)
        out += is_policy(edit) ? QStringLiteral(" --attention ") + shell_word(policy_in(edit))
                               : QStringLiteral(" --edit ") + shell_word(edit);
    return out;
}

QString ablation(int layer, int head) { return QStringLiteral("L%1H%2 zero").arg(layer).arg(head); }

QString ablation(int layer, int head, int position) {
    return QStringLiteral("L%1H%2 pos=%3 zero").arg(layer).arg(head).arg(position);
}

QString patch_from_pinned(int layer, int head) {
    return QStringLiteral("L%1H%2 row=0 from row=1").arg(layer).arg(head);
}

QStringList EditList::active() const {
    QStringList out;
    for (const Edit& edit : all_)
        if (edit.on) out << edit.text;
    return out;
}

QStringList EditList::on_prompt() const {
    QStringList out;
    for (const QString& text : active())
        if (!text.contains(QStringLiteral(" pos=new "))) out << text;
    return out;
}

QString EditList::add(const QString& text) {
    const QString wanted = text.simplified();
    if (check)
        if (const QString wrong = check(wanted); !wrong.isEmpty()) return wrong;
    if (const int at = find(wanted); at >= 0) {
        set_on(at, true);
        return {};
    }
    all_.push_back({wanted, true});
    keep_one_policy(all_, wanted);
    emit changed();
    return {};
}

void EditList::add_all(const QStringList& texts) {
    std::vector<Edit> edits = all_;
    for (const QString& text : texts) {
        const auto known =
            std::find_if(edits.begin(), edits.end(), [&](const Edit& edit) { return edit.text == text; });
        if (known == edits.end())
            edits.push_back({text, true});
        else
            known->on = true;
        keep_one_policy(edits, text);
    }
    set_all(std::move(edits));
}

void EditList::set_on(int index, bool on) {
    if (index < 0 || index >= static_cast<int>(all_.size())) return;
    Edit& edit = all_[static_cast<std::size_t>(index)];
    if (edit.on == on) return;
    edit.on = on;
    if (on) keep_one_policy(all_, QString(edit.text));
    emit changed();
}

QString EditList::replace(int index, const QString& text) {
    const QString wanted = text.simplified();
    if (wanted.isEmpty()) return tr("An intervention needs words; Delete removes it from the list.");
    const int same = find(wanted);
    if (same >= 0 && same != index) return tr("\"%1\" is in the list already.").arg(wanted);
    return put(index, wanted);
}

QString EditList::put(int index, const QString& wanted) {
    if (index < 0 || index >= static_cast<int>(all_.size())) return {};
    if (wanted == all_[static_cast<std::size_t>(index)].text) return {};
    if (check)
        if (const QString wrong = check(wanted); !wrong.isEmpty()) return wrong;
    Edit& edit = all_[static_cast<std::size_t>(index)];
    edit.text = wanted;
    if (edit.on) keep_one_policy(all_, wanted);
    emit changed();
    return {};
}

QString EditList::turn(int index, const QString& text) {
    goes_on_ = index >= 0 && turned_ == index;
    QString wrong = put(index, text);
    goes_on_ = false;
    turned_ = index;
    return wrong;
}

void EditList::move(int from, int to) {
    const int count = static_cast<int>(all_.size());
    if (from < 0 || from >= count || to < 0 || to >= count || from == to) return;
    std::vector<Edit> edits = all_;
    const Edit moved = edits[static_cast<std::size_t>(from)];
    edits.erase(edits.begin() + from);
    edits.insert(edits.begin() + to, moved);
    set_all(std::move(edits));
}

void EditList::remove(int index) {
    if (index < 0 || index >= static_cast<int>(all_.size())) return;
    all_.erase(all_.begin() + index);
    emit changed();
}

void EditList::clear() { set_all({}); }

void EditList::set_all(std::vector<Edit> edits) {
    if (edits == all_) return;
    all_ = std::move(edits);
    emit changed();
}

int EditList::find(const QString& text) const {
    for (std::size_t i = 0; i < all_.size(); ++i)
        if (all_[i].text == text) return static_cast<int>(i);
    return -1;
}

std::vector<int> EditList::of_head(int layer, int head) const {
    const QString name = QStringLiteral("L%1H%2 ").arg(layer).arg(head);
    std::vector<int> out;
    for (std::size_t i = 0; i < all_.size(); ++i)
        if (all_[i].text.startsWith(name, Qt::CaseInsensitive)) out.push_back(static_cast<int>(i));
    return out;
}

bool EditList::head_is_edited(int layer, int head) const {
    const auto own = of_head(layer, head);
    return std::any_of(own.begin(), own.end(),
                       [&](int index) { return all_[static_cast<std::size_t>(index)].on; });
}

void EditList::toggle_head(int layer, int head) {
    const auto own = of_head(layer, head);
    if (own.empty()) {
        add(ablation(layer, head));
        return;
    }
    const bool on = !head_is_edited(layer, head);
    std::vector<Edit> edits = all_;
    for (const int index : own)
        edits[static_cast<std::size_t>(index)].on = on;
    set_all(std::move(edits));
}

void EditList::set_problem(const QString& sentence) {
    if (sentence == problem_) return;
    problem_ = sentence;
    emit problem_changed();
}

} // namespace vitrine::views
