#pragma once
#include <QWidget>
#include <functional>
#include <vector>

#include "core/base/json.h"

namespace vitrine::views {

/// The fields of an analysis' parameters, made from its manifest alone.
class AnalysisForm : public QWidget {
    Q_OBJECT

public:
    explicit AnalysisForm(QWidget* parent = nullptr);

    /// Replaces the fields by those of a manifest:
    /// {"parameters":[{"name","type","default","min","max","choices","doc"}]}.
    void show_manifest(const Json& manifest);
    /// Only these fields are seen, whatever the manifest; empty: all.
    void show_only(const QStringList& names);
    /// What the user changed; parameters left at their default are not in it. Texts are as typed: the engine
    /// checks and converts them.
    Json values() const;
    /// Puts values into the fields, as a session remembers them; what it does not name gets its default.
    void set_values(const Json& values);
    /// The same as options of the command line: ` --set k=v …`.
    QString command_options() const;

signals:
    void submitted(); ///< Enter in a field

private:
    struct Field {
        std::string name;
        QWidget* place;                       ///< label and widget
        std::function<Json()> value;          ///< null: left at its default
        std::function<void(const Json&)> set; ///< null: back to its default
    };
    std::vector<Field> fields_;
    QStringList only_;
};

} // namespace vitrine::views
