<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="ru" sourcelanguage="en">
<context>
    <name>MainWindow</name>
    <message>
        <source>minicnn: sort photos</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Open folder</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Classify</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Path of the folder</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Images of the folder</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Open a folder for image classification</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Sorted images in percent</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Folder</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>O&amp;ptions</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Certainty &amp;needed</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Model</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Open folder…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Classify</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>C&amp;ancel</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Undo last sort</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Quit</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Include &amp;sub-folders</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Preview before sorting</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Copy photos</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Move photos</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;The model that comes with minicnn</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>A model of &amp;your own</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>Preview</name>
    <message>
        <source>Preview: nothing has been sorted yet</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>by hand</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Drag pictures to the folder where they belong, or select them and press the number of the folder. The least certain ones are first.</source>
        <translation type="unfinished"></translation>
    </message>
    <message numerus="yes">
        <source>Sort %n images</source>
        <translation type="unfinished">
            <numerusform></numerusform>
            <numerusform></numerusform>
            <numerusform></numerusform>
        </translation>
    </message>
    <message>
        <source>Back</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Move to {}</source>
        <translation type="unfinished"></translation>
    </message>
</context>
</TS>
