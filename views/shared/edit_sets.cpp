#include "views/shared/edit_sets.h"

#include <algorithm>
#include <utility>

namespace vitrine::views {

const EditSet* EditSets::find(const QString& name) const {
    const auto found =
        std::find_if(all_.begin(), all_.end(), [&](const EditSet& set) { return set.name == name; });
    return found == all_.end() ? nullptr : &*found;
}

QString EditSets::name_of(const std::vector<Edit>& edits) const {
    const auto found =
        std::find_if(all_.begin(), all_.end(), [&](const EditSet& set) { return set.edits == edits; });
    return found == all_.end() ? QString() : found->name;
}

QString EditSets::save(const QString& name, std::vector<Edit> edits) {
    const QString wanted = name.simplified();
    if (wanted.isEmpty()) return tr("A set of interventions needs a name.");
    std::vector<EditSet> sets = all_;
    std::erase_if(sets, [&](const EditSet& set) { return set.name == wanted; });
    sets.push_back({wanted, std::move(edits)});
    set_all(std::move(sets));
    return {};
}

QString EditSets::rename(const QString& from, const QString& to) {
    const QString wanted = to.simplified();
    const EditSet* old = find(from);
    if (old == nullptr || wanted == from) return {};
    if (find(wanted) != nullptr)
        return tr("There is a set \"%1\" already: choose another name, or delete that one first.")
            .arg(wanted);
    if (wanted.isEmpty()) return tr("A set of interventions needs a name.");
    std::vector<EditSet> sets = all_;
    sets[static_cast<std::size_t>(old - all_.data())].name = wanted;
    set_all(std::move(sets));
    return {};
}

void EditSets::remove(const QString& name) {
    std::vector<EditSet> sets = all_;
    std::erase_if(sets, [&](const EditSet& set) { return set.name == name; });
    set_all(std::move(sets));
}

void EditSets::set_all(std::vector<EditSet> sets) {
    std::sort(sets.begin(), sets.end(),
              [](const EditSet& a, const EditSet& b) { return a.name.localeAwareCompare(b.name) < 0; });
    if (sets == all_) return;
    all_ = std::move(sets);
    emit changed();
}

} // namespace vitrine::views
