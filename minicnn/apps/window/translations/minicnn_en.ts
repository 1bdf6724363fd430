<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="en" sourcelanguage="en">
<context>
    <name>Preview</name>
    <message numerus="yes">
        <source>Sort %Ln images</source>
        <translation>
            <numerusform>Sort %Ln image</numerusform>
            <numerusform>Sort %Ln images</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>Status</name>
    <message numerus="yes">
        <source>%Ln images cannot be read and stay where they are.</source>
        <translation>
            <numerusform>%Ln image cannot be read and stays where it is.</numerusform>
            <numerusform>%Ln images cannot be read and stay where they are.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln images were sorted already.</source>
        <translation>
            <numerusform>%Ln image was sorted already.</numerusform>
            <numerusform>%Ln images were sorted already.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln images found</source>
        <translation>
            <numerusform>%Ln image found</numerusform>
            <numerusform>%Ln images found</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln more are HEIC files, which this reads after: {}</source>
        <translation>
            <numerusform>%Ln more is a HEIC file, which this reads after: {}</numerusform>
            <numerusform>%Ln more are HEIC files, which this reads after: {}</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Learned from %Ln images.</source>
        <translation>
            <numerusform>Learned from %Ln image.</numerusform>
            <numerusform>Learned from %Ln images.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln names are taken; these images are saved as {} and so on.</source>
        <translation>
            <numerusform>%Ln name is taken; this image is saved as {}.</numerusform>
            <numerusform>%Ln names are taken; these images are saved as {} and so on.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Stopped; %Ln images are sorted.</source>
        <translation>
            <numerusform>Stopped; %Ln image is sorted.</numerusform>
            <numerusform>Stopped; %Ln images are sorted.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln images stay where they are:</source>
        <translation>
            <numerusform>%Ln image stays where it is:</numerusform>
            <numerusform>%Ln images stay where they are:</numerusform>
        </translation>
    </message>
</context>
</TS>
